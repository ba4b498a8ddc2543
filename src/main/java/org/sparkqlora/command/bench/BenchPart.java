package org.sparkqlora.command.bench;

import org.sparkqlora.input.OptionChoice;

/** The parts of {@code bench} that can be left out. */
public enum BenchPart implements OptionChoice {
    /** NF4 and optimisers. */
    KERNELS,
    /** Head, attention and layer. */
    PASS,
    /** Whole steps. */
    STEP;

    public static BenchPart parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot measure '%s': expected kernels, pass or step");
    }
}
