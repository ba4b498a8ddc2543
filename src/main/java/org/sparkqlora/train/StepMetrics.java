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
 * @param computeSeconds of the slowest shard, or of all shards where they had to take turns
 * @param exchangeSeconds moving and adding gradients
 * @param updateSeconds norm, clipping and optimiser on the driver
 * @param optimizerResidentBytes the most that the driver's optimiser has held in memory at once, state and buffers
 */
public record StepMetrics(
        long step,
        double loss,
        long trainedTokens,
        long tokens,
        double learningRate,
        double gradientNorm,
        double computeSeconds,
        double exchangeSeconds,
        double updateSeconds,
        long optimizerResidentBytes) {
    public double seconds() {
        return computeSeconds + exchangeSeconds + updateSeconds;
    }

    /** Of the step, all but computing in tasks: Spark's job, the exchange, the update and its broadcast. */
    public double sparkSeconds() {
        return exchangeSeconds + updateSeconds;
    }

    public double tokensPerSecond() {
        return tokens / Math.max(seconds(), 1e-9);
    }
}
