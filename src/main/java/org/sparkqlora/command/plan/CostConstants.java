package org.sparkqlora.command.plan;

import org.sparkqlora.spark.speed.ClusterSpeed;

/**
 * The constants of {@link CostModel}. The page {@code scale.md} says where each comes from.
 *
 * @param networkShare part of the network's speed that Spark's blocks reach
 * @param writtenBytes bytes a second that a task encodes and writes as shuffle output
 * @param addedBytes bytes a second that a task reads, decodes and adds
 * @param appliedNumbers numbers a second that a thread of the optimiser updates
 * @param secondsOfBlock to fetch a block, beside its bytes
 * @param secondsOfTask of the driver, to launch a task and to take its end in
 * @param secondsOfStage from the end of a stage to the start of the next one's tasks
 * @param secondsOfMessage of the driver, to answer a process
 * @param threadOperations operations a second of a thread in products of a model
 * @param gpuOperations the same of a GPU
 */
record CostConstants(
        double networkShare,
        double writtenBytes,
        double addedBytes,
        double appliedNumbers,
        double secondsOfBlock,
        double secondsOfTask,
        double secondsOfStage,
        double secondsOfMessage,
        double threadOperations,
        double gpuOperations) {
    static final CostConstants DEFAULT = new CostConstants(
            0.8, // of the network's speed
            1e9, // bytes written a second
            2e9, // bytes added a second
            300e6, // numbers applied a second
            7e-4, // seconds of a block
            3e-4, // of a task
            0.04, // of a stage
            3e-5, // of a message
            0.4e12, // operations a second of a thread
            100e12); // of a GPU

    /** These with what was measured of a cluster in place of what is built in. */
    CostConstants with(ClusterSpeed speed) {
        return new CostConstants(
                networkShare,
                speed.writtenBytes(),
                speed.addedBytes(),
                appliedNumbers,
                speed.secondsOfBlock(),
                speed.secondsOfTask(),
                speed.secondsOfStage(),
                speed.secondsOfMessage(),
                threadOperations,
                gpuOperations);
    }

    /** The speed of a network whose blocks arrive at so many bytes a second. */
    double networkOf(double bytesPerSecond) {
        return bytesPerSecond / networkShare;
    }
}
