package org.sparkqlora.cli.plan;

import java.util.OptionalDouble;
import org.sparkqlora.model.layout.Method;

/**
 * The result of training by one method.
 *
 * @param trainedParameters numbers that trained
 * @param peakBytes the largest resident memory of the process, Spark included
 * @param tokensPerSecond of its steps, padding not counted
 * @param lastLoss of its last step
 * @param evaluationLoss over the held-out rows, at the end
 * @param resultBytes of what it published: an adapter, or a whole model
 */
public record MethodRun(
        Method method,
        long trainedParameters,
        long peakBytes,
        double tokensPerSecond,
        double lastLoss,
        OptionalDouble evaluationLoss,
        long resultBytes) {}
