package org.sparkqlora.options;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Rows of an optimiser step, rows of a micro-batch, and the activations that a pass keeps. */
@OptionGroup.In(OptionGroup.RUN)
public final class BatchOptions {
    @OptionGroup.Common
    @Option(
            names = "--batch-size",
            defaultValue = "16",
            paramLabel = "ROWS",
            description =
                    "Rows an optimiser step, over the whole cluster. A task has at least one, so that with fewer rows than task slots"
                            + " some stay idle. Default: ${DEFAULT-VALUE}.")
    public int rows = 16;

    @OptionGroup.Common
    @Option(
            names = "--micro-batch-size",
            paramLabel = "ROWS",
            description =
                    "Rows that pass through the model at once. Changes how sums round, and which elements --dropout draws."
                            + " The default leaves each thread of a task a micro-batch, and fits an executor's memory."
                            + " Default: as many as have 1024 tokens.")
    @Nullable
    Integer microRows;

    @Option(
            names = "--recompute",
            defaultValue = "auto",
            paramLabel = "WHAT",
            description =
                    "What of a layer is computed again for its gradient instead of kept: offload (all, and what layers"
                            + " got lies in a scratch file in the folder of --model-cache: least memory), all, attention"
                            + " (its probabilities alone), none (least time) or auto (the quickest that memory has room for: what the"
                            + " cluster's manager allows an executor, or half of this machine's; all where nothing is known of it, as on"
                            + " GPUs). The result is the same, bit for bit. Default: ${DEFAULT-VALUE}.")
    public RecomputeChoice recompute = RecomputeChoice.AUTO;

    @Option(
            names = "--passes-at-once",
            paramLabel = "N",
            description =
                    "Micro-batches that a task has in the model at once, on the processor, each by its part of the task's"
                            + " threads. Fewer take less memory. With fewer than threads, libtorch divides products among"
                            + " those, which rounds otherwise. Default: as many as spark.task.cpus.")
    @Nullable
    Integer passesAtOnce;

    /** Rows that pass through the model at once, if they were asked for. */
    public OptionalInt microRows() {
        return microRows == null ? OptionalInt.empty() : OptionalInt.of(microRows);
    }

    /**
     * Micro-batches that a task has in the model at once, if it has as many.
     *
     * @param most that it can have
     */
    public int passesOf(int most) {
        return passesAtOnce == null ? most : Math.min(passesAtOnce, most);
    }

    void check(Problems problems) {
        problems.requireAtLeast("--batch-size", 1, rows);
        if (microRows != null) {
            problems.requireAtLeast("--micro-batch-size", 1, microRows);
        }

        if (passesAtOnce != null) {
            problems.requireAtLeast("--passes-at-once", 1, passesAtOnce);
        }
    }
}
