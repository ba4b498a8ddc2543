package org.sparkqlora.weights.family;

/**
 * The rotary position embedding of queries and keys: each pair of a head's elements by position x frequency.
 *
 * @param theta base of the frequencies: those of unscaled pairs are {@code theta^(-2 pair / headSize)}
 * @param scaling what a longer context made of them
 */
public record RotarySpec(double theta, RotaryScaling scaling) {
    /**
     * The angular frequency of each pair, radians a token, in float32.
     *
     * @param length tokens of the sequence, which only {@link RotaryScaling.Dynamic} looks at
     */
    public float[] frequencies(int headSize, int length) {
        float[] frequencies = new float[headSize / 2];
        for (int pair = 0; pair < frequencies.length; pair++) {
            frequencies[pair] = (float) scaling.frequency(pair, theta, headSize, length);
        }

        return frequencies;
    }
}
