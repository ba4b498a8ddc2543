package org.sparkqlora.spark.job;

import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.ProcessReplica;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.train.LocalSgdRound;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.ShardTask;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.metrics.Phase;
import org.sparkqlora.train.metrics.PhaseClock;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

/** The gradient of one shard, or its local steps if the plan has them. Runs in a task; this object is what Spark serialises. */
final class GradientFunction implements Function<Integer, ShardResult> {
    private static final long serialVersionUID = 2L;

    private final RunHandle run;
    private final TrainPlan plan;
    private final long version;
    private final StateLog log;

    GradientFunction(RunHandle run, TrainPlan plan, long version, StateLog log) {
        this.run = run;
        this.plan = plan;
        this.version = version;
        this.log = log;
    }

    @Override
    public ShardResult call(Integer shard) {
        PhaseClock clock = PhaseClock.startIn(Phase.LOAD);
        ProcessReplica executor = ProcessReplicas.of(run);
        PreparedRows rows = executor.rows(run.folder());
        ShardResult result = plan.batches().localSteps() == 1
                ? gradient(executor, rows, shard, clock)
                : new LocalSgdRound(plan, rows, executor.home())
                        .compute(executor.replica(), log, version, shard, clock);
        return result.reported(new ShardReport(ofProcess(), clock.seconds(), ProcessMemory.ofThisProcess()));
    }

    private ShardResult gradient(ProcessReplica executor, PreparedRows rows, int shard, PhaseClock clock) {
        ShardTask task = new ShardTask(plan.batches(), plan.seed(), rows);
        return executor.replica()
                .at(version, log, clock, model -> task.compute(model, executor.freshGradient(), version, shard));
    }

    private static String ofProcess() {
        SparkEnv process = SparkEnv.get();
        return "executor %s on %s"
                .formatted(
                        process.executorId(),
                        process.blockManager().blockManagerId().host());
    }
}
