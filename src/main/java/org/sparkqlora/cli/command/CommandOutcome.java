package org.sparkqlora.cli.command;

import java.util.List;

/**
 * The outcome of a command.
 *
 * @param code of the process
 * @param reasons why it failed; none if it did not
 * @param summary the last line that it printed for programs, which is JSON; empty if it failed or has none
 */
public record CommandOutcome(ExitCode code, List<String> reasons, String summary) {
    public CommandOutcome {
        reasons = List.copyOf(reasons);
    }

    /** The end of a command that printed {@code last} last: its summary, unless it printed lines of another kind. */
    public static CommandOutcome done(String last) {
        return new CommandOutcome(ExitCode.OK, List.of(), last.startsWith("{") ? last : "");
    }

    public static CommandOutcome refused(ExitCode code, List<String> reasons) {
        return new CommandOutcome(code, reasons, "");
    }
}
