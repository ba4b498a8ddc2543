package org.sparkqlora.command.plan;

import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The time that a task computes. A token takes two operations a projection weight for the forward pass, two for the gradient of its input, two
 * where a layer is computed again, and two for the gradient of weights where these train; a weight of the head four, or six. Attention and adapters are
 * not counted.
 *
 * @param operationsPerSecond of a task
 */
record ComputeSpeed(double operationsPerSecond) {
    /** Seconds of the largest shard, whose rows are full. */
    double seconds(ModelConfig config, ModelSpec spec, BatchShape step) {
        return tokens(step) * operations(config, spec, step.recompute()) / operationsPerSecond;
    }

    /** Tokens of the largest shard. */
    static double tokens(BatchShape step) {
        double rows = Math.ceil((double) step.batchSize() / step.shards());
        return rows * step.sequenceLength();
    }

    private static double operations(ModelConfig config, ModelSpec spec, Recompute recompute) {
        DecoderTensors tensors = DecoderTensors.of(config);
        double projections = tensors.activeProjectionElements();
        double head = (double) config.vocabularySize() * config.hiddenSize();
        int ofWeights = spec.method() == Method.FULL ? 2 : 0;
        int again = recompute.isOfWholeLayers() ? 2 : 0;
        return projections * (4 + again + ofWeights) + head * (4 + ofWeights);
    }
}
