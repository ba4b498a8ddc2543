package org.sparkqlora.train;

import java.util.OptionalDouble;

/** The record of a run, a line a step. */
public interface MetricsLog extends AutoCloseable {
    /** Drops what lies after {@code step}: those steps will be taken again. Comes before all else. */
    void rewindTo(long step);

    /** Adds a step and, where one was made after it, the loss on held-out rows. */
    void append(StepMetrics step, OptionalDouble evaluationLoss);

    /** Makes sure that all lines outlive the process; a checkpoint follows, after which their steps are not taken again. */
    default void flush() {}

    @Override
    default void close() {}
}
