package org.sparkqlora.train;

import java.util.OptionalDouble;

/**
 * What a run did.
 *
 * @param steps steps of the whole run
 * @param resumedFrom steps that an earlier process had done
 * @param firstLoss of the first step of this process
 * @param lastLoss of the last step of this process
 * @param evaluationLoss over the held-out rows, at the end
 * @param tokens that went through the model in this process, padding not counted
 * @param seconds of this process's steps
 */
public record TrainSummary(
        long steps,
        long resumedFrom,
        OptionalDouble firstLoss,
        OptionalDouble lastLoss,
        OptionalDouble evaluationLoss,
        long tokens,
        double seconds) {
    static TrainSummary start(long steps, long resumedFrom) {
        OptionalDouble none = OptionalDouble.empty();
        return new TrainSummary(steps, resumedFrom, none, none, none, 0, 0);
    }

    TrainSummary plus(StepMetrics step, OptionalDouble evaluation) {
        OptionalDouble loss = OptionalDouble.of(step.loss());
        return new TrainSummary(
                steps,
                resumedFrom,
                firstLoss.isPresent() ? firstLoss : loss,
                loss,
                evaluation.isPresent() ? evaluation : evaluationLoss,
                tokens + step.tokens(),
                seconds + step.seconds());
    }
}
