package org.sparkqlora.train.metrics;

import java.util.List;

/** Tells two that follow a run, one after the other. */
record CompositeReporter(ProgressReporter first, ProgressReporter second) implements ProgressReporter {
    @Override
    public void started(long doneSteps, long allSteps) {
        first.started(doneSteps, allSteps);
        second.started(doneSteps, allSteps);
    }

    @Override
    public void computed(List<ShardReport> tasks) {
        first.computed(tasks);
        second.computed(tasks);
    }

    @Override
    public void stepDone(StepMetrics step) {
        first.stepDone(step);
        second.stepDone(step);
    }

    @Override
    public void leftOut(long step, double lossScale) {
        first.leftOut(step, lossScale);
        second.leftOut(step, lossScale);
    }

    @Override
    public void straggling(Straggler straggler) {
        first.straggling(straggler);
        second.straggling(straggler);
    }

    @Override
    public void evaluated(long step, double loss) {
        first.evaluated(step, loss);
        second.evaluated(step, loss);
    }

    @Override
    public void checkpointed(long step) {
        first.checkpointed(step);
        second.checkpointed(step);
    }

    @Override
    public void stateLost(long step, String reason) {
        first.stateLost(step, reason);
        second.stateLost(step, reason);
    }
}
