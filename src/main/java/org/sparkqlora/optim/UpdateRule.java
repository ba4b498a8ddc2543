package org.sparkqlora.optim;

import java.util.List;

/** How an optimiser moves a parameter. */
sealed interface UpdateRule permits AdamWRule, LionRule, SgdRule {
    /** What the rule remembers of every element, zero at the start. */
    List<StateRange> states();

    /** The arithmetic of step {@code stepFromOne}. */
    ElementUpdate at(double learningRate, long stepFromOne);

    static UpdateRule of(OptimizerSpec spec) {
        return switch (spec.kind().unpaged()) {
            case ADAMW, ADAMW_8BIT -> new AdamWRule(spec);
            case LION, LION_8BIT -> new LionRule(spec);
            case SGD -> new SgdRule(spec);
            case PAGED_ADAMW, PAGED_ADAMW_8BIT, PAGED_LION, PAGED_LION_8BIT ->
                throw new IllegalStateException(spec.kind() + " is not the plain twin of a kind");
        };
    }
}
