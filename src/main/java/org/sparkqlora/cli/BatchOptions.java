package org.sparkqlora.cli;

import picocli.CommandLine.Option;

/** How many rows an optimiser step takes, and how many pass through the model at once. */
final class BatchOptions {
    @Option(
            names = "--batch-size",
            defaultValue = "16",
            paramLabel = "ROWS",
            description = "Rows an optimiser step, over the whole cluster. Default: ${DEFAULT-VALUE}.")
    int rows = 16;

    @Option(
            names = "--micro-batch-size",
            defaultValue = "1",
            paramLabel = "ROWS",
            description = "Rows that pass through the model at once. Default: ${DEFAULT-VALUE}.")
    int microRows = 1;

    void check(Problems problems) {
        problems.requireAtLeast("--batch-size", 1, rows);
        problems.requireAtLeast("--micro-batch-size", 1, microRows);
    }
}
