package org.sparkqlora.cli;

import java.util.List;

/**
 * How a command ended.
 *
 * @param code of the process
 * @param reasons why it failed; none if it did not
 * @param summary the last line that it printed for programs, which is JSON; empty if it failed or has none
 */
record Ending(ExitCode code, List<String> reasons, String summary) {
    Ending {
        reasons = List.copyOf(reasons);
    }

    /** The end of a command that printed {@code last} last: its summary, unless it printed lines of another kind. */
    static Ending done(String last) {
        return new Ending(ExitCode.OK, List.of(), last.startsWith("{") ? last : "");
    }

    static Ending refused(ExitCode code, List<String> reasons) {
        return new Ending(code, reasons, "");
    }
}
