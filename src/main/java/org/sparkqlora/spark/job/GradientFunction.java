package org.sparkqlora.spark.job;

import java.util.function.Supplier;
import org.apache.spark.api.java.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.ProcessReplica;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.spark.replica.StateRequest;
import org.sparkqlora.train.LocalSgdRound;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.ShardTask;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.metrics.Phase;
import org.sparkqlora.train.metrics.PhaseClock;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

/**
 * The gradient of one shard, or its local steps if the plan has them. Runs in a task; this object is what Spark serialises.
 *
 * @param ofBatch sums over the step's batch that its gradients need
 * @param request for the State; null where nobody needs it
 */
record GradientFunction(
        RunHandle run,
        TrainPlan plan,
        long version,
        StateLog log,
        Measures ofBatch,
        @Nullable StateRequest request) implements Function<Integer, ShardResult> {
    @Override
    public ShardResult call(Integer shard) {
        PhaseClock clock = PhaseClock.startIn(Phase.LOAD);
        ProcessReplica executor = ProcessReplicas.of(run);
        PreparedRows rows = executor.rows(run.rows());
        return result(executor, rows, shard, clock)
                .reported(new ShardReport(
                        ExecutorPlace.here().toString(), clock.seconds(), ProcessMemory.ofThisProcess()));
    }

    private ShardResult result(ProcessReplica executor, PreparedRows rows, int shard, PhaseClock clock) {
        try {
            return plan.batches().localSteps() == 1
                    ? leaving(executor, shard, () -> gradient(executor, rows, shard, clock))
                    : new LocalSgdRound(plan, rows, executor.home())
                            .compute(executor.replica(), log, version, shard, clock);
        } catch (UnreachableStateException e) {
            return new ShardResult.Unreachable(shard, e.reason());
        }
    }

    /** What {@code compute} gives, with what is asked for left beside it. */
    private ShardResult leaving(ProcessReplica executor, int shard, Supplier<ShardResult> compute) {
        return request == null ? compute.get() : request.beside(executor, version, shard, log, compute);
    }

    private ShardResult gradient(ProcessReplica executor, PreparedRows rows, int shard, PhaseClock clock) {
        ShardTask task = new ShardTask(plan.batches(), plan.seed(), rows);
        return executor.replica()
                .at(
                        version,
                        log,
                        clock,
                        model -> task.compute(model, executor.freshGradient(), version, shard, ofBatch));
    }
}
