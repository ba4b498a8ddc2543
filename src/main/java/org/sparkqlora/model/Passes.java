package org.sparkqlora.model;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * How micro-batches pass through a model on the processor.
 *
 * @param recompute what a pass does not keep
 * @param atOnce most passes of a task at once, which share its threads; no more than those are
 */
public record Passes(Recompute recompute, int atOnce) implements Serializable {
    public Passes {
        if (atOnce < 1) {
            throw new BadInputException("Cannot have %d passes at once: expected at least 1".formatted(atOnce));
        }
    }

    /** One for each thread of a task. */
    public static Passes recomputing(Recompute recompute) {
        return new Passes(recompute, Integer.MAX_VALUE);
    }
}
