package org.sparkqlora.spark.job;

import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.spark.replica.InferenceReplicas;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ModelSource;

/** What a trained model continues prompts with, computed on the cluster; each process loads the base once. Driver only. */
public final class SparkGenerator {
    private final JavaSparkContext context;
    private final ModelSource model;

    public SparkGenerator(JavaSparkContext context, ModelSource model) {
        this.context = context;
        this.model = model;
    }

    /** The new tokens of each prompt, in their order; the same whatever the cluster and its parts. */
    public List<int[]> generate(FlatVector parameters, ParameterIndex index, List<int[]> prompts, GenerationSpec spec) {
        return new InferenceReplicas(context, model)
                .at(
                        parameters,
                        index,
                        "",
                        (run, replicas) -> new GenerationJob(context, run, replicas).generate(prompts, spec));
    }
}
