package org.sparkqlora.spark.exchange;

import org.sparkqlora.train.GradientDtype;

/**
 * How much a step has to move.
 *
 * @param parameters elements of the flat vector
 * @param shards gradients a step
 * @param wire in which they travel
 */
public record GradientSize(long parameters, int shards, GradientDtype wire) {
    /** What a gradient takes on the way besides its values, at most. */
    private static final long ENVELOPE = 1 << 16;

    /** Bytes of one shard's result. */
    long bytesOfShard() {
        return parameters * wire.bytesOfValue() + ENVELOPE;
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
