package org.sparkqlora.train.metrics;

/**
 * A worker that holds the others up.
 *
 * @param worker as {@link ShardReport} names it
 * @param factor how many times as long it computes for a token as the others
 */
public record Straggler(String worker, double factor) {}
