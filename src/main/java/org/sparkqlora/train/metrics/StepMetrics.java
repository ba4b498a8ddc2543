package org.sparkqlora.train.metrics;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The metrics of one step.
 *
 * @param step counted from 1
 * @param loss mean over the trained tokens, pairs or answers of the batch, before the update
 * @param trainedTokens prediction targets of the batch
 * @param tokens all tokens that went through the model, padding not counted
 * @param learningRate rate of the update
 * @param gradientNorm norm of the mean gradient, before clipping; empty for local steps, and for a step left out because
 *     its gradient overflowed fp16
 * @param divergence of the shards after local steps, see {@link org.sparkqlora.train.StateMean#divergence}
 * @param times where the time went
 * @param measures other means over the batch, by name; none where the loss is that of trained tokens
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
        Map<String, Double> measures,
        long optimizerResidentBytes) {
    public StepMetrics {
        measures = Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    /** These metrics with other measures beside their own. */
    public StepMetrics with(Map<String, Double> more) {
        if (more.isEmpty()) {
            return this;
        }

        Map<String, Double> all = new LinkedHashMap<>(measures);
        all.putAll(more);
        return new StepMetrics(
                step,
                loss,
                trainedTokens,
                tokens,
                learningRate,
                gradientNorm,
                divergence,
                times,
                all,
                optimizerResidentBytes);
    }

    /** Measures of an evaluation by the names that they have beside those of a step. */
    public static Map<String, Double> evaluation(Map<String, Double> measures) {
        Map<String, Double> named = new LinkedHashMap<>();
        measures.forEach((name, value) -> named.put("eval_" + name, value));
        return named;
    }

    public double seconds() {
        return times.total();
    }

    public double tokensPerSecond() {
        return tokens / Math.max(seconds(), 1e-9);
    }
}
