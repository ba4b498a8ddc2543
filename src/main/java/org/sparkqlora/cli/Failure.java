package org.sparkqlora.cli;

import java.util.Objects;
import org.sparkqlora.train.BrokenLossException;

/**
 * Why a command ended early, as a scheduler and a person should hear it. A reason found in a Spark task comes wrapped in what
 * Spark says about its job; the reason itself is told.
 *
 * @param code of the process
 * @param reason the exception that says it
 */
record Failure(ExitCode code, Throwable reason) {
    static Failure of(Exception thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof IllegalArgumentException || cause instanceof BrokenLossException) {
                return new Failure(ExitCode.BAD_INPUT, cause);
            }
        }

        return new Failure(ExitCode.RESUMABLE, thrown);
    }

    ExitCode report(Console console, String command) {
        console.note("%s: %s", command, message(reason));
        if (code == ExitCode.RESUMABLE) {
            reportCauses(console);
            console.note("The same command, run again, continues from the newest checkpoint.");
        }

        return code;
    }

    private void reportCauses(Console console) {
        for (Throwable cause = reason.getCause(); cause != null; cause = cause.getCause()) {
            console.note("  because: %s", message(cause));
        }
    }

    /** Of what Spark says about a lost job, the first line: the rest is the stack of a task. */
    private static String message(Throwable thrown) {
        String text = Objects.requireNonNullElse(
                thrown.getMessage(), thrown.getClass().getSimpleName());
        return text.lines().findFirst().orElse(text);
    }
}
