package org.sparkqlora.model;

import java.io.Serializable;
import java.util.List;

/**
 * Summed cross-entropy over trained tokens. Totals add up; the division comes once, at the end.
 *
 * @param lossSum sum of -log p over the trained tokens, in nats
 * @param tokenCount number of those tokens
 */
public record LossTotal(double lossSum, long tokenCount) implements Serializable {
    public static final LossTotal ZERO = new LossTotal(0, 0);

    /** The total of {@code totals}, added in their order. */
    public static LossTotal sum(List<LossTotal> totals) {
        return totals.stream().reduce(ZERO, LossTotal::plus);
    }

    public LossTotal plus(LossTotal other) {
        return new LossTotal(lossSum + other.lossSum, tokenCount + other.tokenCount);
    }

    /** Loss a token; NaN without tokens. */
    public double mean() {
        return lossSum / tokenCount;
    }
}
