package org.sparkqlora.options;

import picocli.CommandLine.Option;

/** The length of rows. */
@OptionGroup.In(OptionGroup.DATA)
public final class LengthOptions {
    private static final int SHORTEST = 2;

    /** Far more than models see, and few enough to count with. */
    private static final int LONGEST = 1 << 24;

    @OptionGroup.Common
    @Option(
            names = "--sequence-length",
            defaultValue = "1024",
            paramLabel = "TOKENS",
            description = "Tokens a row; longer examples are cut. Default: ${DEFAULT-VALUE}.")
    public int tokens = 1024;

    void check(Problems problems) {
        problems.requireAtLeast("--sequence-length", SHORTEST, tokens);
        problems.require(tokens <= LONGEST, "--sequence-length: expected at most %d, found %d", LONGEST, tokens);
    }
}
