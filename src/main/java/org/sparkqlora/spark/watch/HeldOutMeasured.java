package org.sparkqlora.spark.watch;

/**
 * The loss on held-out rows was measured.
 *
 * @param step after which
 * @param loss mean over their trained tokens
 */
public record HeldOutMeasured(String run, long timeMillis, long step, double loss) implements RunEvent {}
