package org.sparkqlora.spark;

import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.History;
import org.sparkqlora.train.Phase;
import org.sparkqlora.train.PhaseClock;
import org.sparkqlora.train.ShardReport;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.ShardTask;

/** The gradient of one shard. Runs in a task; what crosses is this object. */
final class GradientFunction implements Function<Integer, ShardResult> {
    private static final long serialVersionUID = 1L;

    private final RunDescription run;
    private final BatchPlan batches;
    private final long seed;
    private final long version;
    private final History history;

    GradientFunction(RunDescription run, BatchPlan batches, long seed, long version, History history) {
        this.run = run;
        this.batches = batches;
        this.seed = seed;
        this.version = version;
        this.history = history;
    }

    @Override
    public ShardResult call(Integer shard) {
        PhaseClock clock = PhaseClock.startIn(Phase.LOAD);
        ExecutorReplica executor = ExecutorReplicas.of(run);
        PreparedRows rows = executor.rows(run.folder());
        ShardTask task = new ShardTask(batches, seed, rows);
        ShardResult result = executor.replica()
                .at(version, history, clock, model -> task.compute(model, executor.freshGradient(), version, shard));
        return result.reported(report(clock));
    }

    /** In the name of this process. */
    static ShardReport report(PhaseClock clock) {
        SparkEnv process = SparkEnv.get();
        String worker = "executor %s on %s"
                .formatted(
                        process.executorId(),
                        process.blockManager().blockManagerId().host());
        return new ShardReport(worker, clock.seconds());
    }
}
