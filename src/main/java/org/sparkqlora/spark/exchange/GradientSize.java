package org.sparkqlora.spark.exchange;

import org.sparkqlora.train.GradientDtype;

/**
 * The size of the gradients that a step moves.
 *
 * @param parameters elements of the flat vector
 * @param shards gradients a step
 * @param dtype number format in which they are sent
 */
public record GradientSize(long parameters, int shards, GradientDtype dtype) {
    /** Most bytes of a serialised gradient besides its values. */
    private static final long ENVELOPE = 1 << 16;

    /** Most bytes of a shard's result without its vector: loss, counts, times and Spark's metrics of its task. */
    public static final int FACTS = 1 << 11;

    /** Bytes of one shard's result. */
    long bytesOfShard() {
        return parameters * dtype.bytesOfValue() + ENVELOPE;
    }

    /** Parts in which a sum stays with executors that run {@code slots} tasks at once. */
    public int parts(int slots) {
        return SliceLayout.partsOf(parameters, slots);
    }

    /** Most bytes of what the driver is told of a step whose sum stays with executors. */
    public long bytesOfFacts() {
        return (long) FACTS * shards + (1 << 20);
    }

    /** Bytes of a slice of the sum, where it is cut into as many as there are shards. */
    long bytesOfSlice() {
        return (parameters / shards + 1) * Float.BYTES + ENVELOPE;
    }

    /** Bytes of the results of all shards. */
    long bytes() {
        return bytesOfShard() * shards;
    }
}
