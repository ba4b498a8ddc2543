package org.sparkqlora.command.bench;

import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The most tokens a second that QLoRA can train if nothing but the products with frozen weights took time. A token costs two
 * operations a projection weight forward, two for the gradient of the input, and two more where the forward pass is recomputed;
 * four a weight of the head. Adapters and attention, about 6 % for SmolLM2-135M at 512 tokens, are not counted.
 *
 * @param projectionWeights of all layers
 * @param headWeights of the output head
 * @param operationsPerSecond of bf16 products
 */
record Roofline(long projectionWeights, long headWeights, double operationsPerSecond) {
    private static final int HEAD = 4;
    private static final int PROJECTION = 4;
    private static final int RECOMPUTED_PROJECTION = 6;

    static Roofline of(ModelConfig config, double operationsPerSecond) {
        DecoderTensors tensors = DecoderTensors.of(config);
        long projections = tensors.activeProjectionElements();
        return new Roofline(projections, (long) config.vocabularySize() * config.hiddenSize(), operationsPerSecond);
    }

    double tokensPerSecondWithRecompute() {
        return tokensPerSecond(RECOMPUTED_PROJECTION);
    }

    double tokensPerSecondWithoutRecompute() {
        return tokensPerSecond(PROJECTION);
    }

    private double tokensPerSecond(int operationsPerProjectionWeight) {
        double operations = (double) operationsPerProjectionWeight * projectionWeights + (double) HEAD * headWeights;
        return operationsPerSecond / operations;
    }
}
