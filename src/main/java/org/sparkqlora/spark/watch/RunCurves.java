package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The curves of a run.
 *
 * @param loss of each step's batch
 * @param heldOut loss on held-out rows, where it was measured
 * @param learningRate of each step
 * @param gradientNorm of each step, before clipping
 * @param tokensPerSecond of each step
 * @param measures other means by name; names of held-out rows begin with eval_
 */
public record RunCurves(
        List<CurvePoint> loss,
        List<CurvePoint> heldOut,
        List<CurvePoint> learningRate,
        List<CurvePoint> gradientNorm,
        List<CurvePoint> tokensPerSecond,
        @Nullable Map<String, List<CurvePoint>> measures) {
    public RunCurves {
        loss = List.copyOf(loss);
        heldOut = List.copyOf(heldOut);
        learningRate = List.copyOf(learningRate);
        gradientNorm = List.copyOf(gradientNorm);
        tokensPerSecond = List.copyOf(tokensPerSecond);
        measures = measures == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    /** Empty in what an earlier version stored. */
    @Override
    public Map<String, List<CurvePoint>> measures() {
        return measures == null ? Map.of() : measures;
    }
}
