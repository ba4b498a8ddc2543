package org.sparkqlora.weights.family;

/** The scaling of rotary frequencies for a longer context ({@code modeling_rope_utils.py} of transformers). */
public sealed interface RotaryScaling {
    /** The frequency of a pair of a head's elements in a sequence of {@code length} tokens. */
    double frequency(int pair, double theta, int headSize, int length);

    /** Factor on cosines and sines. */
    default double attentionFactor() {
        return 1;
    }

    /** The longest sequence that it reaches in a model whose config names {@code maxPositions}. */
    default long reach(int maxPositions) {
        return maxPositions;
    }

    private static double plain(int pair, double theta, int headSize) {
        return Math.pow(theta, -2.0 * pair / headSize);
    }

    /** Frequencies as the model was made with. */
    record Unscaled() implements RotaryScaling {
        @Override
        public double frequency(int pair, double theta, int headSize, int length) {
            return plain(pair, theta, headSize);
        }
    }

    /** All waves stretched by {@code factor}. */
    record Linear(double factor) implements RotaryScaling {
        @Override
        public double frequency(int pair, double theta, int headSize, int length) {
            return plain(pair, theta, headSize) / factor;
        }

        @Override
        public long reach(int positions) {
            return (long) (factor * positions);
        }
    }

    /** Beyond {@code maxPositions} theta grows with the length: the slowest wave by {@code factor length / maxPositions - (factor - 1)}. */
    record Dynamic(double factor, int maxPositions) implements RotaryScaling {
        @Override
        public double frequency(int pair, double theta, int headSize, int length) {
            double longest = Math.max(length, maxPositions);
            double stretch = factor * longest / maxPositions - (factor - 1);
            return plain(pair, theta * Math.pow(stretch, headSize / (headSize - 2.0)), headSize);
        }

        @Override
        public long reach(int positions) {
            return (long) (factor * positions);
        }
    }

    /**
     * Waves longer than {@code originalMaxPositions / lowFrequencyFactor} are stretched whole, those shorter than
     * {@code originalMaxPositions / highFrequencyFactor} not at all, and those between in part.
     */
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalMaxPositions)
            implements RotaryScaling {
        @Override
        public double frequency(int pair, double theta, int headSize, int length) {
            double frequency = plain(pair, theta, headSize);
            double waves = originalMaxPositions * frequency / (2 * Math.PI);
            double kept = (waves - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
            return blend(frequency, factor, kept);
        }

        @Override
        public long reach(int positions) {
            return Math.max(positions, (long) (factor * originalMaxPositions));
        }
    }

    /**
     * YaRN (arXiv 2309.00071): pairs that turn more than {@code fastTurns} times in the original context are kept, those that turn
     * less than {@code slowTurns} times are stretched, and those between in part, by their place in the head.
     *
     * @param whole the borders between the three are rounded outwards to whole pairs
     */
    record Yarn(
            double factor,
            double attentionFactor,
            double fastTurns,
            double slowTurns,
            int originalMaxPositions,
            boolean whole)
            implements RotaryScaling {
        /** Keeps the ramp from dividing by zero where both borders fall together. */
        private static final double NARROWEST = 0.001;

        /** The attention factor of a context {@code factor} times as long as the original. */
        public static double temperature(double factor, double scale) {
            return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
        }

        @Override
        public double frequency(int pair, double theta, int headSize, int length) {
            double fast = pairOf(fastTurns, theta, headSize);
            double slow = pairOf(slowTurns, theta, headSize);
            double low = Math.max(whole ? Math.floor(fast) : fast, 0);
            double high = Math.min(whole ? Math.ceil(slow) : slow, headSize - 1);
            double width = high == low ? NARROWEST : high - low;
            return blend(plain(pair, theta, headSize), factor, 1 - (pair - low) / width);
        }

        @Override
        public long reach(int positions) {
            return Math.max(positions, (long) (factor * originalMaxPositions));
        }

        /** The pair, in parts, that turns {@code turns} times in the original context. */
        private double pairOf(double turns, double theta, int headSize) {
            return headSize * Math.log(originalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
        }
    }

    /** Of all pairs of a head the first {@code share} turn, by the waves of the whole head; the others stay. */
    record Proportional(double share, double factor) implements RotaryScaling {
        @Override
        public double frequency(int pair, double theta, int headSize, int length) {
            int turning = (int) (share * headSize / 2);
            return pair < turning ? plain(pair, theta, headSize) / factor : 0;
        }

        @Override
        public long reach(int positions) {
            return (long) (factor * positions);
        }
    }

    /** The frequency where {@code kept}, cut to 0 .. 1, of it stays and the rest is divided by {@code factor}. */
    private static double blend(double frequency, double factor, double kept) {
        double share = Math.max(0, Math.min(1, kept));
        return share * frequency + (1 - share) * frequency / factor;
    }
}
