package org.sparkqlora.quant;

/** Work on the indices {@code from} (inclusive) to {@code to} (exclusive), independent of every other range. */
@FunctionalInterface
public interface RangeTask {
    void run(long from, long to);
}
