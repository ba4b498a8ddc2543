package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
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
 * @param measures other means, of the batch and of held-out rows, by the names that metrics.jsonl has; none in logs of earlier versions
 */
public record StepTaken(
        String run,
        long timeMillis,
        long step,
        double loss,
        double learningRate,
        @Nullable Double gradientNorm,
        long tokens,
        PhaseTimes seconds,
        @Nullable Map<String, Double> measures)
        implements RunEvent {
    public StepTaken {
        measures = measures == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    static StepTaken of(String run, long timeMillis, StepMetrics step) {
        return new StepTaken(
                run,
                timeMillis,
                step.step(),
                step.loss(),
                step.learningRate(),
                step.gradientNorm().isPresent() ? step.gradientNorm().getAsDouble() : null,
                step.tokens(),
                PhaseTimes.of(step.times()),
                step.measures());
    }

    @Override
    public Map<String, Double> measures() {
        return measures == null ? Map.of() : measures;
    }

    double tokensPerSecond() {
        return tokens / Math.max(seconds.total(), 1e-9);
    }
}
