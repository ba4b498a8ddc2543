package org.sparkqlora.spark;

import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.LossTotal;

/** The losses of prepared rows at a version, as a Spark job. Driver only. */
final class EvaluationJob {
    private final JavaSparkContext context;
    private final RunDescription run;
    private final ReplicaGroup replicas;

    EvaluationJob(JavaSparkContext context, RunDescription run, ReplicaGroup replicas) {
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
