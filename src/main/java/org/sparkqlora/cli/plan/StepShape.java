package org.sparkqlora.cli.plan;

import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.Summation;

/**
 * The sizes of a step that decide what its exchange costs.
 *
 * @param parameters numbers that train
 * @param shards tasks that compute a gradient, one a slot
 * @param executors processes, each with a network of its own
 * @param threads of an executor
 * @param wire format of gradients, and of sums that replicas take
 */
record StepShape(long parameters, int shards, int executors, int threads, GradientDtype wire) {
    /** Shards, or sums, that one task adds. */
    static final int FAN_IN = 32;

    private static final int MOST_PARTS = 32;
    private static final long PART = 1 << 20;
    private static final long LARGEST_PART = 1 << 24;

    /** Parts of the vector, each added by tasks of its own: as many as slots, but for short and for very long vectors. */
    int parts() {
        long wanted = Math.max(Math.min(shards, MOST_PARTS), Math.min(ceilingOf(parameters, PART), MOST_PARTS));
        long most = Math.min(ceilingOf(parameters, Summation.TREE.sliceLength()), wanted);
        return (int) Math.max(ceilingOf(parameters, LARGEST_PART), most);
    }

    /** Sums that a stage makes of so many vectors. */
    static int groups(int vectors) {
        return (int) ceilingOf(vectors, FAN_IN);
    }

    /** Bytes of a gradient, or of a sum, on its way. */
    double wireBytes() {
        return (double) parameters * wire.bytesOfValue();
    }

    /** Bytes of a sum that is added to others: float32, so that bits do not depend on how many there are. */
    double sumBytes() {
        return (double) parameters * Float.BYTES;
    }

    /** The part of all bytes that a process takes from others. */
    double remoteShare() {
        return 1 - 1.0 / executors;
    }

    private static long ceilingOf(long total, long parts) {
        return (total + parts - 1) / parts;
    }
}
