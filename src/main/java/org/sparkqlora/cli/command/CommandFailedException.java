package org.sparkqlora.cli.command;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A command ended early. The message is what the command line would say. */
public final class CommandFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    public CommandFailedException(ExitCode code, List<String> lines, @Nullable Throwable cause) {
        super(String.join("\n", lines), cause);
        this.code = code;
    }

    /** The exit code of the command. */
    public ExitCode code() {
        return code;
    }
}
