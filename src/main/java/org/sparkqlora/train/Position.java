package org.sparkqlora.train;

import java.io.Serializable;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Precision;

/**
 * The version of a State and the scale of its loss: all but its numbers, and enough to set the rate of the next step.
 *
 * @param version the count of updates applied, which is also the number of the next step
 * @param scale of the loss; null for a model that needs none
 */
public record Position(long version, @Nullable LossScale scale) implements Serializable {
    /** Of State(0) of a model in {@code precision}. */
    static Position first(Precision precision) {
        return new Position(0, precision.scalesLoss() ? LossScale.FIRST : null);
    }

    /** The factor on the next gradient on its way through the model; empty without loss scaling. */
    public OptionalDouble lossScale() {
        return scale == null ? OptionalDouble.empty() : OptionalDouble.of(scale.factor());
    }

    /**
     * The count of updates that moved the parameters: the place in the schedule, which waits where a scaled gradient overflowed, as that of
     * transformers' Trainer does ({@code optimizer_step_was_skipped}).
     */
    public long optimizerSteps() {
        return scale == null ? version : version - scale.leftOut();
    }

    /** Whether a gradient that is not finite is a matter of its scale: the next step tries a smaller one. */
    boolean leavesOutBrokenGradients() {
        return scale != null && scale.canShrink();
    }

    /** Whether {@code update} moves the parameters: a scaled gradient that overflowed only changes the scale. */
    public boolean takes(Update update) {
        return scale == null || Double.isFinite(update.gradient().squares());
    }

    /** The position after {@code update}. */
    public Position after(Update update) {
        if (update.fromVersion() != version) {
            throw new IllegalStateException(
                    "Cannot apply the update of version %d to version %d".formatted(update.fromVersion(), version));
        }

        return new Position(version + 1, scale == null ? null : scale.after(takes(update)));
    }

    /** The position {@code steps} versions on, at the same scale. */
    public Position plus(int steps) {
        return new Position(version + steps, scale);
    }
}
