package org.sparkqlora.optim;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * The learning rate of every update: a linear rise from zero over the warm-up, then as {@link ScheduleKind} says. The
 * numbers are those of transformers' {@code get_scheduler}.
 *
 * @param base the highest rate
 * @param warmupSteps updates before the highest rate is reached
 * @param totalSteps updates of the whole run; one that leaves steps out for fp16 ends so many before
 */
public record Schedule(ScheduleKind kind, double base, int warmupSteps, int totalSteps) implements Serializable {
    public Schedule {
        if (!(base >= 0 && base < Double.POSITIVE_INFINITY)) {
            throw new BadInputException(
                    "Cannot schedule from rate %s: expected a finite number, 0 or more".formatted(base));
        }

        if (warmupSteps < 0 || totalSteps < 0) {
            throw new BadInputException("Cannot schedule %d steps with %d to warm up: both must be 0 or more"
                    .formatted(totalSteps, warmupSteps));
        }
    }

    /** This schedule with another warm-up. */
    public Schedule warmingUp(int steps) {
        return new Schedule(kind, base, steps, totalSteps);
    }

    /** This schedule with another number of steps. */
    public Schedule ending(int steps) {
        return new Schedule(kind, base, warmupSteps, steps);
    }

    /** Rate of update {@code updateFromZero}, the first one being 0. */
    public double learningRate(int updateFromZero) {
        if (updateFromZero < warmupSteps) {
            return base * updateFromZero / warmupSteps;
        }

        double progress = (double) (updateFromZero - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
        return base
                * switch (kind) {
                    case CONSTANT -> 1;
                    case LINEAR -> Math.max(0, 1 - progress);
                    case COSINE -> 0.5 * (1 + StrictMath.cos(Math.PI * Math.min(1, progress)));
                };
    }
}
