package org.sparkqlora.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.checkpoint.TakenOverException;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.train.BrokenLossException;

/**
 * The reason why a command ended early, for a scheduler and a person. A reason found in a Spark task comes wrapped in what
 * Spark says about its job; the reason itself is told.
 *
 * <p>Only {@link BadInputException} and its like say that the same command would fail again. All else is resumable: a fault
 * outside passes, and a broken invariant of our own, such as an {@link IllegalStateException}, cannot be told from one that a
 * fault outside has broken. A scheduler counts attempts, so neither is tried for ever, and a person is asked to report the latter.
 *
 * @param code of the process
 * @param reason the exception that says it
 */
public record Failure(ExitCode code, Throwable reason) {
    private static final Logger LOG = LoggerFactory.getLogger(Failure.class);
    private static final String TRAIN = " train";
    private static final String CONTINUES = "The same command, run again, continues from the newest checkpoint.";

    public static Failure of(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (failsAgain(cause)) {
                return new Failure(ExitCode.BAD_INPUT, cause);
            }
        }

        return new Failure(ExitCode.RESUMABLE, thrown);
    }

    private static boolean failsAgain(Throwable cause) {
        return cause instanceof BadInputException
                || cause instanceof BrokenLossException
                || cause instanceof TakenOverException; // a repeat would take the training from the driver that has it
    }

    public ExitCode report(Console console, String command) {
        lines(command).forEach(line -> console.note("%s", line));
        if (code == ExitCode.RESUMABLE) {
            LOG.debug("Failed to run {}", command, reason);
            console.note("%s", command.endsWith(TRAIN) ? CONTINUES : "The same command may be run again.");
            if (mayBeOurs()) {
                console.note("If it ends like this again, please report it as a fault of spark-qlora, with its log.");
            }
        }

        return code;
    }

    /** Whether what is behind it all says that a program is wrong. */
    private boolean mayBeOurs() {
        Throwable root = reason;
        while (root.getCause() != null) {
            root = root.getCause();
        }

        return root instanceof IllegalStateException
                || root instanceof NullPointerException
                || root instanceof IndexOutOfBoundsException
                || root instanceof ClassCastException
                || root instanceof AssertionError;
    }

    /** The lines that a person reads of it. */
    private List<String> lines(String command) {
        List<String> reasons = reasons();
        List<String> lines = new ArrayList<>(List.of("%s: %s".formatted(command, reasons.get(0))));
        reasons.stream().skip(1).forEach(because -> lines.add("  because: " + because));
        return lines;
    }

    /** The reason, and what is behind it. */
    public List<String> reasons() {
        return switch (code) {
            case BAD_INPUT -> List.of(text(reason));
            case RESUMABLE -> chain();
            case OK, USAGE -> throw new IllegalStateException("Cannot fail with code " + code);
        };
    }

    private List<String> chain() {
        List<String> reasons = new ArrayList<>();
        for (Throwable cause = reason; cause != null; cause = cause.getCause()) {
            reasons.add(firstLine(cause));
        }

        return reasons;
    }

    /** The message without the stack of a task that Spark adds to that of a lost job. */
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
