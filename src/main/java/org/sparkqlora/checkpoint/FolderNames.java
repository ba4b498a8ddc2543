package org.sparkqlora.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The names in a checkpoint folder. */
final class FolderNames {
    private FolderNames() {}

    /** All names; none when there is no such folder. Asked for twice when there are none: a claimed folder is never empty. */
    static List<String> of(FileSystem files, Path folder) throws IOException {
        List<String> names = list(files, folder);
        return names.isEmpty() ? list(files, folder) : names;
    }

    private static List<String> list(FileSystem files, Path folder) throws IOException {
        try {
            return Arrays.stream(files.listStatus(folder))
                    .map(status -> status.getPath().getName())
                    .toList();
        } catch (FileNotFoundException e) {
            return List.of();
        }
    }
}
