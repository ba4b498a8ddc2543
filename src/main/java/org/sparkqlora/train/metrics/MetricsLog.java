package org.sparkqlora.train.metrics;

import java.util.List;
import java.util.OptionalDouble;

/** The record of a run, a line a step. */
public interface MetricsLog extends AutoCloseable {
    /** Drops what lies after {@code step}: those steps will be taken again. Comes before all else. */
    void rewindTo(long step);

    /** The evaluations in what {@link #rewindTo} left. */
    default List<Evaluated> evaluations() {
        return List.of();
    }

    /** The last step in what {@link #rewindTo} left; 0 if there is none. */
    default long last() {
        return 0;
    }

    /** Adds a step and, where one was made after it, the loss on held-out rows. */
    void append(StepMetrics step, OptionalDouble evaluationLoss);

    /** Makes sure that all lines outlive the process; a checkpoint follows, after which their steps are not taken again. */
    default void flush() {}

    @Override
    default void close() {}
}
