package org.sparkqlora.train;

/**
 * What one step did.
 *
 * @param step counted from 1
 * @param loss mean over the trained tokens of the batch, before the update
 * @param trainedTokens prediction targets of the batch
 * @param tokens all tokens that went through the model, padding not counted
 * @param learningRate rate of the update
 * @param gradientNorm norm of the mean gradient, before clipping
 * @param times where the time went
 * @param optimizerResidentBytes the most that the driver's optimiser has held in memory at once, state and buffers
 */
public record StepMetrics(
        long step,
        double loss,
        long trainedTokens,
        long tokens,
        double learningRate,
        double gradientNorm,
        StepSeconds times,
        long optimizerResidentBytes) {
    public double seconds() {
        return times.total();
    }

    public double tokensPerSecond() {
        return tokens / Math.max(seconds(), 1e-9);
    }
}
