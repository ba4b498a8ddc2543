package org.sparkqlora.train;

/** Follows a run, for a person or a program that watches it. */
public interface ProgressReporter {
    /** Training goes on after {@code doneSteps} of {@code allSteps}. */
    default void started(long doneSteps, long allSteps) {}

    default void stepDone(StepMetrics step) {}

    default void straggling(Straggler straggler) {}

    default void evaluated(long step, double loss) {}

    default void checkpointed(long step) {}

    /** Tells this one and then the other. */
    default ProgressReporter and(ProgressReporter other) {
        return new BothReporters(this, other);
    }

    /** Watches nothing. */
    static ProgressReporter silent() {
        return new ProgressReporter() {};
    }
}
