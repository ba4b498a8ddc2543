package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.spark.replica.ProcessReplica;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.train.ShardTask;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.UnreachableStateException;

/** The sums over a step's batch that its gradients need: a job before that of the gradients. */
public final class BatchSums {
    private BatchSums() {}

    /** The sums of all shards, added in their order. Driver only. */
    static Measures of(JavaRDD<Integer> shards, RunHandle run, TrainPlan plan, long version, StateLog log) {
        List<OfShard> sums =
                shards.map(new SumFunction(run, plan, version, log)).collect();
        return sums.stream()
                .sorted(Comparator.comparing(OfShard::shard))
                .map(OfShard::reached)
                .reduce(Measures.NONE, Measures::plus);
    }

    /** @param unreachable why the task could not come to the State; null where it did */
    public record OfShard(
            int shard, Measures sums, @Nullable String unreachable) implements Serializable {
        private Measures reached() {
            if (unreachable != null) {
                throw new UnreachableStateException(unreachable);
            }

            return sums;
        }
    }

    /** Runs in a task. */
    private record SumFunction(RunHandle run, TrainPlan plan, long version, StateLog log)
            implements Function<Integer, OfShard> {
        @Override
        public OfShard call(Integer shard) {
            ProcessReplica executor = ProcessReplicas.of(run);
            ShardTask task = new ShardTask(plan.batches(), plan.seed(), executor.rows(run.rows()));
            try {
                Measures sums = executor.replica().at(version, log, model -> task.batchSums(model, version, shard));
                return new OfShard(shard, sums, null);
            } catch (UnreachableStateException e) {
                return new OfShard(shard, Measures.NONE, e.reason());
            }
        }
    }
}
