package org.sparkqlora.command.plan;

import org.sparkqlora.spark.exchange.GradientSize;
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
 * @param isSharded whether executors shard the optimiser's state, so that replicas take parameters
 */
record StepShape(long parameters, int shards, int executors, int threads, GradientDtype wire, boolean isSharded) {
    int parts() {
        return new GradientSize(parameters, shards, wire).parts(shards);
    }

    /** Sums that a stage makes of so many vectors. */
    static int groups(int vectors) {
        return Summation.TREE.groups(vectors);
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
}
