package org.sparkqlora.spark.job;

import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;

/** The losses of prepared rows at a version, as a Spark job. Driver only. */
final class EvaluationJob {
    private final JavaSparkContext context;
    private final RunHandle run;
    private final ReplicaGroup replicas;

    EvaluationJob(JavaSparkContext context, RunHandle run, ReplicaGroup replicas) {
        this.context = context;
        this.run = run;
        this.replicas = replicas;
    }

    /** The loss of each document, in row then document order, whatever the number of executors. */
    List<LossTotal> losses(PreparedData data, int microBatchSize) {
        List<Long> microBatches = LongStream.range(0, (data.rows() + microBatchSize - 1) / microBatchSize)
                .boxed()
                .toList();
        context.setJobDescription(String.format(Locale.ROOT, "evaluate: %d rows", data.rows()));
        EvaluateFunction function = new EvaluateFunction(
                run, data.folder(), microBatchSize, replicas.state().version(), replicas.history());
        JavaRDD<Long> placed = ModelTasks.of(context.getConf())
                .place(context.parallelize(microBatches, TaskSlots.parts(context, microBatches.size())));
        return placed.mapPartitions(function).collect().stream()
                .flatMap(losses -> losses.toList().stream())
                .toList();
    }
}
