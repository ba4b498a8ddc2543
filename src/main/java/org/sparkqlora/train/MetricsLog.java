package org.sparkqlora.train;

import java.util.OptionalDouble;

/** The record of a run, a line a step. */
public interface MetricsLog {
    /** Drops what lies after {@code step}: those steps will be taken again. */
    void rewindTo(long step);

    /** Adds a step and, where one was made after it, the loss on held-out rows. */
    void append(StepMetrics step, OptionalDouble evaluationLoss);
}
