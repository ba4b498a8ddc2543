package org.sparkqlora.train.metrics;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The summary of a run.
 *
 * @param steps that the run took in all
 * @param resumedFrom steps that an earlier process had done
 * @param firstLoss of the first step of this process
 * @param lastLoss of the last step of this process
 * @param evaluationLoss over the held-out rows, at the end, also of an earlier process that took all steps
 * @param best the evaluation of the lowest loss, also of earlier processes
 * @param tokens that went through the model in this process, padding not counted
 * @param seconds of this process's steps
 */
public record TrainSummary(
        long steps,
        long resumedFrom,
        OptionalDouble firstLoss,
        OptionalDouble lastLoss,
        OptionalDouble evaluationLoss,
        Optional<Evaluated> best,
        long tokens,
        double seconds) {
    public static TrainSummary start(long steps, long resumedFrom) {
        OptionalDouble none = OptionalDouble.empty();
        return new TrainSummary(steps, resumedFrom, none, none, none, Optional.empty(), 0, 0);
    }

    /** With the loss that an earlier process found at the end. */
    public TrainSummary evaluated(OptionalDouble earlier) {
        return new TrainSummary(steps, resumedFrom, firstLoss, lastLoss, earlier, best, tokens, seconds);
    }

    /** Of a run that ended after {@code taken} steps. */
    public TrainSummary ended(long taken, Optional<Evaluated> lowest) {
        return new TrainSummary(taken, resumedFrom, firstLoss, lastLoss, evaluationLoss, lowest, tokens, seconds);
    }

    public TrainSummary plus(StepMetrics step, OptionalDouble evaluation) {
        OptionalDouble loss = OptionalDouble.of(step.loss());
        return new TrainSummary(
                steps,
                resumedFrom,
                firstLoss.isPresent() ? firstLoss : loss,
                loss,
                evaluation.isPresent() ? evaluation : evaluationLoss,
                best,
                tokens + step.tokens(),
                seconds + step.seconds());
    }
}
