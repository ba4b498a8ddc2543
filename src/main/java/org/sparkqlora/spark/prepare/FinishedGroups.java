package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.Serializable;
import java.util.BitSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.sparkqlora.storage.StorePath;

/**
 * The groups that a folder had finished before a job: from one listing, where each task would ask a store in vain for its own.
 *
 * @param numbers of the groups
 */
record FinishedGroups(BitSet numbers) implements Serializable {
    FinishedGroups {
        numbers = (BitSet) numbers.clone();
    }

    /** Those with rows of {@code prefix}; none in a folder that is not there. */
    static FinishedGroups in(FileSystem files, Path folder, String prefix) throws IOException {
        Pattern name = Pattern.compile(Pattern.quote(prefix) + "-(\\d{1,9})\\.json");
        BitSet numbers = new BitSet();
        StorePath.names(files, folder).stream()
                .map(name::matcher)
                .filter(Matcher::matches)
                .forEach(found -> numbers.set(Integer.parseInt(found.group(1))));
        return new FinishedGroups(numbers);
    }

    /** Whether this task may find the result of a group: an attempt that runs again may have finished it in the meantime. */
    boolean mayHave(int group) {
        TaskContext task = TaskContext.get();
        return numbers.get(group) || task.attemptNumber() > 0 || task.stageAttemptNumber() > 0;
    }
}
