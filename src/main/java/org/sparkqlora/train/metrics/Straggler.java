package org.sparkqlora.train.metrics;

/**
 * A worker that holds the others up.
 *
 * @param worker as {@link ShardReport} names it
 * @param factor its time for a token, relative to the others
 */
public record Straggler(String worker, double factor) {}
