package org.sparkqlora.train.metrics;

import java.util.List;
import java.util.function.Consumer;

/** Tells two that follow a run, one after the other. */
record CompositeReporter(ProgressReporter first, ProgressReporter second) implements ProgressReporter {
    private void both(Consumer<ProgressReporter> tell) {
        tell.accept(first);
        tell.accept(second);
    }

    @Override
    public void started(long doneSteps, long allSteps) {
        both(reporter -> reporter.started(doneSteps, allSteps));
    }

    @Override
    public void computed(List<ShardReport> tasks) {
        both(reporter -> reporter.computed(tasks));
    }

    @Override
    public void stepDone(StepMetrics step) {
        both(reporter -> reporter.stepDone(step));
    }

    @Override
    public void leftOut(long step, double lossScale) {
        both(reporter -> reporter.leftOut(step, lossScale));
    }

    @Override
    public void straggling(Straggler straggler) {
        both(reporter -> reporter.straggling(straggler));
    }

    @Override
    public void evaluated(long step, double loss) {
        both(reporter -> reporter.evaluated(step, loss));
    }

    @Override
    public void checkpointed(long step) {
        both(reporter -> reporter.checkpointed(step));
    }

    @Override
    public void stateLost(long step, String reason) {
        both(reporter -> reporter.stateLost(step, reason));
    }
}
