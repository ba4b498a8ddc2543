package org.sparkqlora.spark.replica;

import java.util.List;
import org.sparkqlora.spark.cluster.SharedResources;
import org.sparkqlora.spark.cluster.TaskGpus;
import org.sparkqlora.spark.prepare.RowScorer;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ObjectiveGradientModel;
import org.sparkqlora.train.ObjectiveModelSource;

/**
 * The log-probabilities of a reference. Each process loads the model with the first task that asks, and keeps it.
 *
 * @param model with the reference
 * @param threads of a task
 */
public record ReferenceScorer(ObjectiveModelSource model, int threads) implements RowScorer {
    @Override
    public double[] score(TokenRow row) {
        List<String> gpus = TaskGpus.addresses();
        try (SharedResources<GradientModel>.Lease lease =
                ProcessReplicas.models().lease(model.key() + gpus, () -> model.open(threads, gpus))) {
            return ((ObjectiveGradientModel) lease.get()).referenceLogProbabilities(row);
        }
    }
}
