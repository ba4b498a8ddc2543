package org.sparkqlora.command;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Problems;
import org.sparkqlora.spark.cluster.Location;

/**
 * The file of {@code --result}, in which a command leaves its outcome.
 *
 * @param file on any Hadoop file system; nothing where none was asked for
 */
public record ResultFile(@Nullable Location file) {
    /** Names it on a command line. */
    public static final String OPTION = "--result";

    /** All that speaks against writing it. */
    public List<String> problems() {
        Problems problems = new Problems();
        if (file != null && file.isLocal()) {
            problems.requireOwn(OPTION, file.local(), ResultJson.BEGINNING);
        }

        return problems.all();
    }

    /** Writes how {@code command} ended; another file that is there stays. */
    public void leave(String command, CommandOutcome outcome) {
        if (file != null && problems().isEmpty()) {
            file.replaceText(ResultJson.write(command, outcome));
        }
    }
}
