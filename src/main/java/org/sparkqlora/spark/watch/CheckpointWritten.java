package org.sparkqlora.spark.watch;

/**
 * A checkpoint is safe.
 *
 * @param step after which
 */
public record CheckpointWritten(String run, long timeMillis, long step) implements RunEvent {}
