package org.sparkqlora.spark.watch;

import java.util.List;

/**
 * The curves of a run.
 *
 * @param loss of each step's batch
 * @param heldOut loss on held-out rows, where it was measured
 * @param learningRate of each step
 * @param gradientNorm of each step, before clipping
 * @param tokensPerSecond of each step
 */
public record RunCurves(
        List<CurvePoint> loss,
        List<CurvePoint> heldOut,
        List<CurvePoint> learningRate,
        List<CurvePoint> gradientNorm,
        List<CurvePoint> tokensPerSecond) {
    public RunCurves {
        loss = List.copyOf(loss);
        heldOut = List.copyOf(heldOut);
        learningRate = List.copyOf(learningRate);
        gradientNorm = List.copyOf(gradientNorm);
        tokensPerSecond = List.copyOf(tokensPerSecond);
    }
}
