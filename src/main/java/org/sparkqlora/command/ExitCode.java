package org.sparkqlora.command;

/** The exit code of the process, by which a scheduler knows whether to run it again. */
public enum ExitCode {
    OK(0),
    /** The command line could not be understood. */
    USAGE(2),
    /** Configuration or input is bad: the same command fails again. */
    BAD_INPUT(64),
    /** Something outside failed: the same command, run again, continues. */
    RESUMABLE(75);

    private final int code;

    ExitCode(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }
}
