package org.sparkqlora.spark.job;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;

/** What a version continues prompts with, as a Spark job. Driver only. */
final class GenerationJob {
    private final JavaSparkContext context;
    private final RunHandle run;
    private final ReplicaGroup replicas;

    GenerationJob(JavaSparkContext context, RunHandle run, ReplicaGroup replicas) {
        this.context = context;
        this.run = run;
        this.replicas = replicas;
    }

    /** The new tokens of each prompt, in their order; the same whatever the cluster and its parts. */
    List<int[]> generate(List<int[]> prompts, GenerationSpec spec) {
        List<NumberedTokens> numbered = IntStream.range(0, prompts.size())
                .mapToObj(number -> new NumberedTokens(number, prompts.get(number)))
                .toList();
        context.setJobDescription(String.format(Locale.ROOT, "generate: %d prompts", prompts.size()));
        GenerateFunction function =
                new GenerateFunction(run, spec, replicas.state().version(), replicas.history());
        JavaRDD<NumberedTokens> placed = ModelTasks.of(context.getConf())
                .place(context.parallelize(numbered, TaskSlots.parts(context, prompts.size())));
        return placed.mapPartitions(function).collect().stream()
                .map(NumberedTokens::ids)
                .toList();
    }
}
