package org.sparkqlora.spark.replica;

import java.util.UUID;
import java.util.function.BiFunction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.Broadcasts;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.prepare.RowsPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** Replicas of a State that never moves on, for jobs that use a model as it is. Driver only. */
public record InferenceReplicas(JavaSparkContext context, ModelSource model) {
    /** Does {@code work} with replicas at {@code parameters}. */
    public <T> T at(FlatVector parameters, ParameterIndex index, BiFunction<RunHandle, ReplicaGroup, T> work) {
        RunHandle run = run(context, model);
        try (Workers workers = new Workers(1);
                ReplicaGroup replicas = group(run, still(parameters, index, workers))) {
            return work.apply(run, replicas);
        } finally {
            context.setJobDescription(null); // which work has set, and jobs after it would have
            Broadcasts.destroy(run.configuration());
        }
    }

    /** A run of its own, without steps. */
    static RunHandle run(JavaSparkContext context, ModelSource model) {
        return new RunHandle(
                UUID.randomUUID().toString(),
                model,
                OptimizerSpec.WITHOUT_STATE,
                Paging.DEFAULT,
                TaskSlots.threadsOfTask(context),
                RowsPlace.NONE,
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration())));
    }

    static TrainState still(FlatVector parameters, ParameterIndex index, Workers workers) {
        return TrainState.fresh(parameters, index, OptimizerSpec.WITHOUT_STATE, 0, StateHome.inMemory(workers));
    }

    private ReplicaGroup group(RunHandle run, TrainState state) {
        return context.isLocal()
                ? new DriverReplica(run, state)
                : new FollowingReplicas(
                        state, new StateLogPublisher(context, OptimizerSpec.WITHOUT_STATE, SnapshotPolicy.DEFAULT));
    }
}
