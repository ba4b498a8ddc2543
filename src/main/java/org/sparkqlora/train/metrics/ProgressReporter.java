package org.sparkqlora.train.metrics;

import java.util.List;

/** Follows a run, for a person or a program that watches it. */
public interface ProgressReporter {
    /** Training goes on after {@code doneSteps} of {@code allSteps}. */
    default void started(long doneSteps, long allSteps) {}

    /** Tasks of a step were computed; {@link #stepDone} follows. */
    default void computed(List<ShardReport> tasks) {}

    default void stepDone(StepMetrics step) {}

    /** {@code step} changed nothing: its gradient overflowed fp16 on its way. {@link #stepDone} follows. */
    default void leftOut(long step, double lossScale) {}

    default void straggling(Straggler straggler) {}

    default void evaluated(long step, double loss) {}

    default void checkpointed(long step) {}

    /** All who had the State are lost, or nobody could read it: training goes on from the newest good checkpoint, of {@code step} at most. */
    default void stateLost(long step, String reason) {}

    /** Tells this one and then the other. */
    default ProgressReporter and(ProgressReporter other) {
        return new CompositeReporter(this, other);
    }

    /** Watches nothing. */
    static ProgressReporter silent() {
        return new ProgressReporter() {};
    }
}
