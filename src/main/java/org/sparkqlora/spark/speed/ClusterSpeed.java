package org.sparkqlora.spark.speed;

/**
 * The speeds that decide the cost of an exchange on a cluster.
 *
 * @param executors that were measured
 * @param networkBytes a second that a task fetches from another process
 * @param writtenBytes a second that a task encodes and leaves as blocks
 * @param addedBytes a second that a task reads, decodes and adds
 * @param secondsOfBlock to leave a block of a few bytes and to fetch it from another process
 * @param secondsOfTask of the driver's processors, to launch a task and to take its end in
 * @param secondsOfStage of a job of two empty tasks
 * @param secondsOfMessage of the driver's processors, to answer a process
 */
public record ClusterSpeed(
        int executors,
        double networkBytes,
        double writtenBytes,
        double addedBytes,
        double secondsOfBlock,
        double secondsOfTask,
        double secondsOfStage,
        double secondsOfMessage) {}
