package org.sparkqlora.model;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * Options of passes through a model. None changes a byte of a result.
 *
 * @param recompute what a pass on the processor does not keep
 * @param atOnce most passes of a task at once on the processor, which share its threads; no more than those are
 * @param base what of the frozen base stays resident
 */
public record PassOptions(Recompute recompute, int atOnce, BaseMemoryLimit base) implements Serializable {
    public PassOptions {
        if (atOnce < 1) {
            throw new BadInputException("Cannot have %d passes at once: expected at least 1".formatted(atOnce));
        }
    }

    /** One for each thread of a task, over a base that stays whole. */
    public static PassOptions recomputing(Recompute recompute) {
        return new PassOptions(recompute, Integer.MAX_VALUE, BaseMemoryLimit.ALL);
    }

    /** These options over a base of which so much stays. */
    public PassOptions keeping(BaseMemoryLimit other) {
        return new PassOptions(recompute, atOnce, other);
    }
}
