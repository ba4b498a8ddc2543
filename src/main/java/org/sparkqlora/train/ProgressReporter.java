package org.sparkqlora.train;

/** Follows a run, for a person or a program that watches it. */
public interface ProgressReporter {
    /** Training goes on after {@code doneSteps} of {@code allSteps}. */
    default void started(long doneSteps, long allSteps) {}

    default void stepDone(StepMetrics step) {}

    default void straggling(Straggler straggler) {}

    default void evaluated(long step, double loss) {}

    default void checkpointed(long step) {}

    /** Watches nothing. */
    static ProgressReporter silent() {
        return new ProgressReporter() {};
    }
}
