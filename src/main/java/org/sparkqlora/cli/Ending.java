package org.sparkqlora.cli;

import java.util.List;

/**
 * How a command ended.
 *
 * @param code of the process
 * @param reasons why it failed; none if it did not
 * @param summary the last line that it printed for programs, which is JSON; empty if it failed
 */
record Ending(ExitCode code, List<String> reasons, String summary) {
    Ending {
        reasons = List.copyOf(reasons);
    }

    static Ending done(String summary) {
        return new Ending(ExitCode.OK, List.of(), summary);
    }

    static Ending refused(ExitCode code, List<String> reasons) {
        return new Ending(code, reasons, "");
    }
}
