package org.sparkqlora.command;

import java.util.List;

/**
 * The outcome of a command.
 *
 * @param code of the process
 * @param reasons why it failed; none if it did not
 * @param summary a JSON object; empty if it failed, or printed lines in its place
 */
public record CommandOutcome(ExitCode code, List<String> reasons, String summary) {
    public CommandOutcome {
        reasons = List.copyOf(reasons);
    }

    public static CommandOutcome done(String summary) {
        return new CommandOutcome(ExitCode.OK, List.of(), summary);
    }

    public static CommandOutcome refused(ExitCode code, List<String> reasons) {
        return new CommandOutcome(code, reasons, "");
    }
}
