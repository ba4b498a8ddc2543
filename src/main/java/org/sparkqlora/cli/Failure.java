package org.sparkqlora.cli;

import java.nio.channels.UnresolvedAddressException;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.checkpoint.TakenOverException;
import org.sparkqlora.train.BrokenLossException;

/**
 * Why a command ended early, as a scheduler and a person should hear it. A reason found in a Spark task comes wrapped in what
 * Spark says about its job; the reason itself is told.
 *
 * @param code of the process
 * @param reason the exception that says it
 */
record Failure(ExitCode code, Throwable reason) {
    private static final Logger LOG = LoggerFactory.getLogger(Failure.class);

    static Failure of(Exception thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (failsAgain(cause)) {
                return new Failure(ExitCode.BAD_INPUT, cause);
            }
        }

        return new Failure(ExitCode.RESUMABLE, thrown);
    }

    private static boolean failsAgain(Throwable cause) {
        return cause instanceof IllegalArgumentException && !(cause instanceof UnresolvedAddressException)
                || cause instanceof BrokenLossException
                || cause instanceof TakenOverException; // a repeat would take the training from the driver that has it
    }

    ExitCode report(Console console, String command) {
        switch (code) {
            case BAD_INPUT -> console.note("%s: %s", command, text(reason));
            case RESUMABLE -> reportOutside(console, command);
            case OK, USAGE -> throw new IllegalStateException("Cannot fail with code " + code);
        }

        return code;
    }

    private void reportOutside(Console console, String command) {
        console.note("%s: %s", command, firstLine(reason));
        for (Throwable cause = reason.getCause(); cause != null; cause = cause.getCause()) {
            console.note("  because: %s", firstLine(cause));
        }

        LOG.debug("Failed to run {}", command, reason);
        console.note("The same command, run again, continues from the newest checkpoint.");
    }

    /** What Spark says about a lost job goes on with the stack of a task. */
    private static String firstLine(Throwable thrown) {
        String type = thrown.getClass().getSimpleName();
        return Optional.ofNullable(thrown.getMessage())
                .flatMap(message -> message.lines().findFirst())
                .map(line -> type + ": " + line)
                .orElse(type);
    }

    private static String text(Throwable thrown) {
        return Objects.requireNonNullElse(thrown.getMessage(), thrown.getClass().getSimpleName());
    }
}
