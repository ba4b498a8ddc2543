package org.sparkqlora.spark.job;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.TrainPlan;

/**
 * A run on a cluster.
 *
 * @param plan of the run
 * @param model the base model
 * @param rows to train on
 * @param heldOut rows to evaluate on; null when there are none
 * @param paging where every process keeps optimiser state that pages
 * @param snapshots when the driver takes a new snapshot
 * @param sharded the trained tensors, where executors that hold the State shard their optimiser state; null where each has all of it
 */
public record TrainingRun(
        TrainPlan plan,
        ModelSource model,
        PreparedData rows,
        @Nullable PreparedData heldOut,
        Paging paging,
        SnapshotPolicy snapshots,
        @Nullable ParameterIndex sharded) {}
