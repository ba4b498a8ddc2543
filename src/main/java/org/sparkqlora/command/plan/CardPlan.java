package org.sparkqlora.command.plan;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * A GPU of one method.
 *
 * @param memory of the options
 * @param mostRows that may pass through the model at once on each of {@link #SIZES} where the rest is as the options say; none where not
 *     even one may
 */
record CardPlan(GpuMemoryPlan memory, Map<Integer, OptionalInt> mostRows) {
    /** Sizes of common GPUs, in 10^9 bytes: the few per cent up to 2^30 are the driver's. */
    static final List<Integer> SIZES = List.of(24, 48, 80);

    private static final long GIGA = 1_000_000_000;

    CardPlan {
        mostRows = Map.copyOf(mostRows);
    }

    /** @param memory as the options say */
    static CardPlan of(GpuMemoryPlan memory, ModelConfig config, ModelSpec spec, BatchShape step) {
        Map<Integer, OptionalInt> mostRows = new TreeMap<>();
        SIZES.forEach(size -> mostRows.put(size, memory.largestMicroBatch(config, spec, step, size * GIGA)));
        return new CardPlan(memory, mostRows);
    }

    boolean fits(int size) {
        return memory.cardBytes() <= size * GIGA;
    }

    /** Rows at once on a card of {@code size}; 0 where not even one fits. */
    int mostRows(int size) {
        return mostRows.getOrDefault(size, OptionalInt.empty()).orElse(0);
    }
}
