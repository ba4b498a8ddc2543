package org.sparkqlora.spark;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ModelSource;

/** What a trained model continues prompts with, computed on the cluster; each process loads the base once. Driver only. */
public final class SparkGenerator {
    /** Parts a slot, so that unequal ones even out. */
    private static final int PARTS_A_SLOT = 4;

    private final JavaSparkContext context;
    private final ModelSource model;

    public SparkGenerator(JavaSparkContext context, ModelSource model) {
        this.context = context;
        this.model = model;
    }

    /** The new tokens of each prompt, in their order; the same whatever the cluster and its parts. */
    public List<int[]> generate(FlatVector parameters, ParameterIndex index, List<int[]> prompts, GenerationSpec spec) {
        int parts = Math.min(prompts.size(), PARTS_A_SLOT * TaskSlots.available(context));
        return new StillReplicas(context, model)
                .at(parameters, index, "", (run, replicas) -> generate(prompts, parts, function(run, replicas, spec)));
    }

    private List<int[]> generate(List<int[]> prompts, int parts, GenerateFunction function) {
        List<NumberedTokens> numbered = IntStream.range(0, prompts.size())
                .mapToObj(number -> new NumberedTokens(number, prompts.get(number)))
                .toList();
        context.setJobDescription("generate: %d prompts".formatted(prompts.size()));
        return context.parallelize(numbered, Math.max(1, parts)).map(function).collect().stream()
                .map(NumberedTokens::ids)
                .toList();
    }

    private static GenerateFunction function(RunDescription run, ReplicaGroup replicas, GenerationSpec spec) {
        return new GenerateFunction(run, spec, replicas.state().version(), replicas.history());
    }
}
