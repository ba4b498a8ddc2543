package org.sparkqlora.model;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * Options of passes through a model on the processor.
 *
 * @param recompute what a pass does not keep
 * @param atOnce most passes of a task at once, which share its threads; no more than those are
 */
public record PassOptions(Recompute recompute, int atOnce) implements Serializable {
    public PassOptions {
        if (atOnce < 1) {
            throw new BadInputException("Cannot have %d passes at once: expected at least 1".formatted(atOnce));
        }
    }

    /** One for each thread of a task. */
    public static PassOptions recomputing(Recompute recompute) {
        return new PassOptions(recompute, Integer.MAX_VALUE);
    }
}
