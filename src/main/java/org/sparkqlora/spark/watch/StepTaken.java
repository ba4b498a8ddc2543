package org.sparkqlora.spark.watch;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * A step is done.
 *
 * @param step counted from 1
 * @param loss mean over the trained tokens of its batch
 * @param gradientNorm before clipping; none of steps that shards took by themselves
 * @param tokens that went through the model
 * @param seconds where the time went
 */
public record StepTaken(
        String run,
        long timeMillis,
        long step,
        double loss,
        double learningRate,
        @Nullable Double gradientNorm,
        long tokens,
        PhaseTimes seconds)
        implements RunEvent {
    static StepTaken of(String run, long timeMillis, StepMetrics step) {
        return new StepTaken(
                run,
                timeMillis,
                step.step(),
                step.loss(),
                step.learningRate(),
                step.gradientNorm().isPresent() ? step.gradientNorm().getAsDouble() : null,
                step.tokens(),
                PhaseTimes.of(step.times()));
    }

    double tokensPerSecond() {
        return tokens / Math.max(seconds.total(), 1e-9);
    }
}
