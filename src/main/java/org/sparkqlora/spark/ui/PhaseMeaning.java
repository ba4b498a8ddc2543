package org.sparkqlora.spark.ui;

import java.util.Map;

/** What the phases of a step are, in a few words. */
final class PhaseMeaning {
    private static final Map<String, String> WORDS = Map.of(
            "compute", "forward and backward",
            "exchange", "moving and adding gradients, and Spark's own work for a job",
            "update", "clipping and the optimiser, on the driver",
            "load", "opening the base model, pulling a snapshot",
            "replay", "applying updates that a process lacked",
            "wait", "for tasks of the same process");

    private PhaseMeaning() {}

    static String of(String phase) {
        return WORDS.getOrDefault(phase, "");
    }
}
