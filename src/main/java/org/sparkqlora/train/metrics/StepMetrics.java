package org.sparkqlora.train.metrics;

import java.util.OptionalDouble;

/**
 * The metrics of one step.
 *
 * @param step counted from 1
 * @param loss mean over the trained tokens of the batch, before the update
 * @param trainedTokens prediction targets of the batch
 * @param tokens all tokens that went through the model, padding not counted
 * @param learningRate rate of the update
 * @param gradientNorm norm of the mean gradient, before clipping; empty for local steps, and for a step left out because
 *     its gradient overflowed fp16
 * @param divergence of the shards after local steps, see {@link org.sparkqlora.train.StateMean#divergence}
 * @param times where the time went
 * @param optimizerResidentBytes the most that the driver's optimiser has held in memory at once, state and buffers
 */
public record StepMetrics(
        long step,
        double loss,
        long trainedTokens,
        long tokens,
        double learningRate,
        OptionalDouble gradientNorm,
        OptionalDouble divergence,
        StepSeconds times,
        long optimizerResidentBytes) {
    public double seconds() {
        return times.total();
    }

    public double tokensPerSecond() {
        return tokens / Math.max(seconds(), 1e-9);
    }
}
