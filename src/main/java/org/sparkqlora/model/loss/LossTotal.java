package org.sparkqlora.model.loss;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A summed loss and what it is divided by. Totals add up; the division comes once, at the end.
 *
 * @param lossSum sum of -log p over the trained tokens in nats, or of the losses of answers
 * @param terms what the mean is over: trained tokens, or pairs or answers
 * @param tokenCount trained tokens
 * @param measures other sums of the same answers; none for trained tokens alone
 */
public record LossTotal(double lossSum, long terms, long tokenCount, Measures measures) implements Serializable {
    public static final LossTotal ZERO = new LossTotal(0, 0);

    /** The summed cross-entropy of trained tokens. */
    public LossTotal(double lossSum, long tokenCount) {
        this(lossSum, tokenCount, tokenCount, Measures.NONE);
    }

    /** The total of {@code totals}, added in their order. */
    public static LossTotal sum(List<LossTotal> totals) {
        return totals.stream().reduce(ZERO, LossTotal::plus);
    }

    public LossTotal plus(LossTotal other) {
        return new LossTotal(
                lossSum + other.lossSum,
                terms + other.terms,
                tokenCount + other.tokenCount,
                measures.plus(other.measures));
    }

    /** The mean loss; NaN without terms. */
    public double mean() {
        return lossSum / terms;
    }

    /** Named sums with their counts, in the order in which they were added. */
    public record Measures(Map<String, Sum> sums) implements Serializable {
        public static final Measures NONE = new Measures(Map.of());

        public Measures {
            sums = Collections.unmodifiableMap(new LinkedHashMap<>(sums));
        }

        /**
         * A sum of values.
         *
         * @param count of what was added
         * @param min the least value; infinite without one
         * @param max the greatest value; infinite without one
         */
        public record Sum(double sum, double count, double min, double max) implements Serializable {
            static final Sum ZERO = new Sum(0, 0, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);

            /** A sum of values that are known by their mean. */
            public Sum(double sum, double count) {
                this(sum, count, sum / count, sum / count);
            }

            Sum plus(Sum other) {
                return new Sum(
                        sum + other.sum, count + other.count, Math.min(min, other.min), Math.max(max, other.max));
            }
        }

        public Measures plus(Measures other) {
            if (other.sums.isEmpty()) {
                return this;
            }

            Builder both = new Builder();
            sums.forEach(both::add);
            other.sums.forEach(both::add);
            return both.build();
        }

        /** That of {@code name}; zero where nothing was added. */
        public Sum of(String name) {
            return sums.getOrDefault(name, Sum.ZERO);
        }

        /** The mean of {@code name}; NaN where nothing was added. */
        public double mean(String name) {
            return of(name).sum() / of(name).count();
        }

        /** Adds values by name. */
        public static final class Builder {
            private final Map<String, Sum> sums = new LinkedHashMap<>();

            /** Adds one value. */
            public Builder add(String name, double value) {
                return add(name, new Sum(value, 1));
            }

            public Builder add(String name, Sum sum) {
                sums.merge(name, sum, Sum::plus);
                return this;
            }

            public Measures build() {
                return new Measures(sums);
            }
        }
    }
}
