package org.sparkqlora.spark;

import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.History;
import org.sparkqlora.train.LocalRound;
import org.sparkqlora.train.Phase;
import org.sparkqlora.train.PhaseClock;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.TrainPlan;

/** The steps that one shard takes by itself. Runs in a task; what crosses is this object. */
final class LocalRoundFunction implements Function<Integer, ShardResult> {
    private static final long serialVersionUID = 1L;

    private final RunDescription run;
    private final TrainPlan plan;
    private final long version;
    private final History history;

    LocalRoundFunction(RunDescription run, TrainPlan plan, long version, History history) {
        this.run = run;
        this.plan = plan;
        this.version = version;
        this.history = history;
    }

    @Override
    public ShardResult call(Integer shard) {
        PhaseClock clock = PhaseClock.startIn(Phase.LOAD);
        ExecutorReplica executor = ExecutorReplicas.of(run);
        LocalRound round = new LocalRound(plan, executor.rows(run.folder()), executor.home());
        return round.compute(executor.replica(), history, version, shard, clock)
                .reported(GradientFunction.report(clock));
    }
}
