package org.sparkqlora.spark;

import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.History;
import org.sparkqlora.train.LocalRound;
import org.sparkqlora.train.Phase;
import org.sparkqlora.train.PhaseClock;
import org.sparkqlora.train.ProcessMemory;
import org.sparkqlora.train.ShardReport;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.ShardTask;
import org.sparkqlora.train.TrainPlan;

/** The gradient of one shard, or its steps by itself where the plan says so. Runs in a task; what crosses is this object. */
final class GradientFunction implements Function<Integer, ShardResult> {
    private static final long serialVersionUID = 2L;

    private final RunDescription run;
    private final TrainPlan plan;
    private final long version;
    private final History history;

    GradientFunction(RunDescription run, TrainPlan plan, long version, History history) {
        this.run = run;
        this.plan = plan;
        this.version = version;
        this.history = history;
    }

    @Override
    public ShardResult call(Integer shard) {
        PhaseClock clock = PhaseClock.startIn(Phase.LOAD);
        ExecutorReplica executor = ExecutorReplicas.of(run);
        PreparedRows rows = executor.rows(run.folder());
        ShardResult result = plan.batches().localSteps() == 1
                ? gradient(executor, rows, shard, clock)
                : new LocalRound(plan, rows, executor.home())
                        .compute(executor.replica(), history, version, shard, clock);
        return result.reported(new ShardReport(ofProcess(), clock.seconds(), ProcessMemory.ofThisProcess()));
    }

    private ShardResult gradient(ExecutorReplica executor, PreparedRows rows, int shard, PhaseClock clock) {
        ShardTask task = new ShardTask(plan.batches(), plan.seed(), rows);
        return executor.replica()
                .at(version, history, clock, model -> task.compute(model, executor.freshGradient(), version, shard));
    }

    private static String ofProcess() {
        SparkEnv process = SparkEnv.get();
        return "executor %s on %s"
                .formatted(
                        process.executorId(),
                        process.blockManager().blockManagerId().host());
    }
}
