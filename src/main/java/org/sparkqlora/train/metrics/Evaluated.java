package org.sparkqlora.train.metrics;

/**
 * The loss on held-out rows at a step.
 *
 * @param step steps taken
 * @param loss mean over trained tokens
 */
public record Evaluated(long step, double loss) {}
