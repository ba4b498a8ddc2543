package org.sparkqlora.spark.job;

import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.InferenceReplicas;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ModelSource;

/** The losses of a trained model over prepared rows, computed on the cluster. Driver only. */
public final class SparkEvaluator {
    private final JavaSparkContext context;
    private final ModelSource model;

    public SparkEvaluator(JavaSparkContext context, ModelSource model) {
        this.context = context;
        this.model = model;
    }

    /** The loss of each document, in row then document order. */
    public List<LossTotal> losses(FlatVector parameters, ParameterIndex index, PreparedData data, int microBatchSize) {
        return new InferenceReplicas(context, model)
                .at(
                        parameters,
                        index,
                        data.folder(),
                        (run, replicas) -> new EvaluationJob(context, run, replicas).losses(data, microBatchSize));
    }
}
