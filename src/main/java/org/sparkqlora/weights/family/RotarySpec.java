package org.sparkqlora.weights.family;

import java.util.Optional;

/**
 * The rotary position embedding of queries and keys: each pair of a head's elements by position x frequency.
 *
 * @param theta base of the frequencies: those of unscaled pairs are {@code theta^(-2 pair / width)}
 * @param scaling what a longer context made of them
 * @param share of a head's elements that turn, the first ones ({@code partial_rotary_factor})
 * @param queryScaling a factor on queries that grows with their position
 */
public record RotarySpec(double theta, RotaryScaling scaling, double share, Optional<QueryScaling> queryScaling) {
    /** Whole heads turn. */
    public RotarySpec(double theta, RotaryScaling scaling) {
        this(theta, scaling, 1, Optional.empty());
    }

    /** The same with a factor on queries. */
    public RotarySpec withQueryScaling(QueryScaling factor) {
        return new RotarySpec(theta, scaling, share, Optional.of(factor));
    }

    /** The number of a head's elements that turn. */
    public int width(int headSize) {
        return (int) (headSize * share);
    }

    /**
     * The angular frequency of each pair, radians a token, in float32.
     *
     * @param length tokens of the sequence, which only {@link RotaryScaling.Dynamic} looks at
     */
    public float[] frequencies(int headSize, int length) {
        int width = width(headSize);
        float[] frequencies = new float[width / 2];
        for (int pair = 0; pair < frequencies.length; pair++) {
            frequencies[pair] = (float) scaling.frequency(pair, theta, width, length);
        }

        return frequencies;
    }

    /**
     * A factor on turned queries that sharpens attention in long texts ({@code llama_4_scaling_beta} of transformers):
     * {@code 1 + beta log(1 + floor(position / originalMaxPositions))}.
     *
     * @param originalMaxPositions positions of the context before it was stretched, in which the factor is 1
     */
    public record QueryScaling(double beta, int originalMaxPositions) {
        /** The factor at {@code position}, counted from 0. */
        public double factor(int position) {
            return 1 + beta * Math.log1p(Math.floorDiv(position, originalMaxPositions));
        }
    }
}
