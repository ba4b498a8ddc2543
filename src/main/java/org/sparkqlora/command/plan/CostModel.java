package org.sparkqlora.command.plan;

import org.sparkqlora.memory.ExchangeMemory;
import org.sparkqlora.spark.exchange.GradientSize;

/**
 * The cost of a step by {@code --exchange shuffle}: p numbers of w bytes from P shards on N executors whose network carries B bytes a second:
 *
 * <pre>
 * write    p w                                     each task, into R parts, 32 at most
 * add      max(b / B, b / addition)                V vectors, 32 by 32, by E = min(N, R V / 32) executors, b = V p w / E; then their sums, until one is left
 * spread   (C - 1) p w / R / B                     C - 1 processes take each part first and keep a copy; C = min(16, max(2, N / 32))
 * take     max(p w, N p w / O) / B                 each replica, from the O = min(N, C R) executors that keep the sums
 * apply    p / threads
 * driver   stages, tasks, messages
 * </pre>
 *
 * Where executors shard the optimiser's state, O = min(N, 2 R) own parts of the State, and replicas take parameters in float32 from them
 * and from those who keep copies:
 *
 * <pre>
 * own      2 p w / O / B                           each owner takes its parts of the sum
 * apply    3 x 2 p / O / threads                   into new memory
 * spread, take   as above, with 4 bytes in place of w
 * driver   one stage more
 * </pre>
 *
 * The legs follow each other. Of all bytes, 1 - 1 / N come from other processes.
 *
 * @param bytesPerSecond of an executor's network, and of the driver's
 */
record CostModel(CostConstants constants, double bytesPerSecond) {
    /** To the driver of each executor in a stage: where the task's code is, that it was taken, where blocks are, and that code is dropped. */
    private static final int MESSAGES = 4;

    /** A step of AdamW of 4.2 million numbers in 32 bits: 44 ms into new memory, 14 ms in place. */
    private static final double INTO_NEW_MEMORY = 3;

    /** @param compute seconds of the longest task */
    StepCost of(StepShape shape, double compute) {
        double moved = shape.isSharded()
                ? own(shape) + take(shape, shape.sumBytes())
                : take(shape, shape.wireBytes()) + apply(shape);
        double exchange = shape.wireBytes() / constants.writtenBytes() + moved;
        double driver = (double) GradientSize.FACTS * shape.shards() / bytesPerSecond
                + stage(shape.shards(), shape)
                + (shape.isSharded() ? stage(shape.executors(), shape) : 0);
        double bytes = shape.wireBytes();
        for (int vectors = shape.shards(); ; vectors = StepShape.groups(vectors)) {
            int tasks = StepShape.groups(vectors) * shape.parts();
            exchange += add(vectors, bytes, tasks, shape);
            driver += stage(tasks, shape);
            bytes = shape.sumBytes();
            if (StepShape.groups(vectors) == 1) {
                return new StepCost(compute, exchange, driver);
            }
        }
    }

    /** Adding so many vectors of {@code bytes} each. */
    private double add(int vectors, double bytes, int tasks, StepShape shape) {
        int busy = Math.min(shape.executors(), tasks);
        double moved = vectors * bytes / busy;
        double blocks = (double) vectors * shape.parts() / busy;
        double fetching = seconds(moved, shape);
        double adding = moved / constants.addedBytes();
        double alone = Math.min(fetching, adding) * StepShape.groups(vectors) / vectors;
        return Math.max(fetching, adding) + alone + blocks * constants.secondsOfBlock();
    }

    /** Owners take their parts of the sum and make those of the next State. */
    private double own(StepShape shape) {
        int owners = Math.min(shape.executors(), ExchangeMemory.OWNERS * shape.parts());
        double share = (double) Math.min(ExchangeMemory.OWNERS, shape.executors()) / owners;
        return seconds(share * shape.wireBytes(), shape)
                + share * shape.parts() * constants.secondsOfBlock()
                + share * INTO_NEW_MEMORY * apply(shape);
    }

    /** Every replica takes every part of {@code vector} bytes; the executors that keep them send each to all, when they have it themselves. */
    private double take(StepShape shape, double vector) {
        int copies = ExchangeMemory.copies(shape.executors());
        double spread = (copies - 1.0) / shape.parts();
        int owners = Math.min(shape.executors(), copies * shape.parts());
        double times = Math.max(1, (double) shape.executors() / owners);
        return seconds((spread + times) * vector, shape) + times * shape.parts() * constants.secondsOfBlock();
    }

    private double apply(StepShape shape) {
        return shape.parameters() / (constants.appliedNumbers() * shape.threads());
    }

    private double seconds(double bytes, StepShape shape) {
        return shape.remoteShare() * bytes / (constants.networkShare() * bytesPerSecond);
    }

    /** The driver's part of a stage. */
    private double stage(int tasks, StepShape shape) {
        int processes = Math.min(tasks, shape.executors());
        return constants.secondsOfStage()
                + tasks * constants.secondsOfTask()
                + MESSAGES * processes * constants.secondsOfMessage();
    }

    /**
     * Seconds of a step.
     *
     * @param compute of the task that computes longest
     * @param exchange from its gradient to the weights of the next step: writing, adding, taking the sums and applying them
     * @param driver scheduling and messages
     */
    record StepCost(double compute, double exchange, double driver) {
        double total() {
            return compute + exchange + driver;
        }

        /** The work done beside that of executors that only compute. */
        double shareOfIdeal() {
            return compute / total();
        }
    }
}
