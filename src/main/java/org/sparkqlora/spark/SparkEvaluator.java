package org.sparkqlora.spark;

import java.util.List;
import java.util.UUID;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** The losses of a trained model over prepared rows, computed on the cluster. Driver only. */
public final class SparkEvaluator {
    /** A State that never moves on keeps nothing but its parameters. */
    private static final OptimizerSpec STILL = new OptimizerSpec(OptimizerKind.SGD, 0, 0, 0, 0);

    private final JavaSparkContext context;
    private final ModelSource model;

    public SparkEvaluator(JavaSparkContext context, ModelSource model) {
        this.context = context;
        this.model = model;
    }

    /** The loss of each document, in row then document order. */
    public List<LossTotal> losses(FlatVector parameters, ParameterIndex index, PreparedData data, int microBatchSize) {
        Broadcast<SerializableConfiguration> configuration =
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        RunDescription run = new RunDescription(
                UUID.randomUUID().toString(),
                model,
                STILL,
                Paging.DEFAULT,
                TaskSlots.threadsOfTask(context),
                data.folder(),
                configuration);
        try (Workers workers = new Workers(1);
                ReplicaGroup replicas = group(run, still(parameters, index, workers))) {
            return new EvaluationJob(context, run, replicas).losses(data, microBatchSize);
        } finally {
            configuration.destroy();
        }
    }

    private static TrainState still(FlatVector parameters, ParameterIndex index, Workers workers) {
        return TrainState.fresh(parameters, index, STILL, 0, StateHome.inMemory(workers));
    }

    private ReplicaGroup group(RunDescription run, TrainState state) {
        return context.isLocal()
                ? new DriverReplica(run, state)
                : new FollowingReplicas(state, new HistoryPublisher(context, STILL, SnapshotPolicy.DEFAULT));
    }
}
