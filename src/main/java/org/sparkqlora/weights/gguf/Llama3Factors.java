package org.sparkqlora.weights.gguf;

import java.util.Optional;
import org.sparkqlora.weights.family.RotaryScaling;

/**
 * The scaling {@code llama3} of transformers behind the factors that llama.cpp stores: a wave that turns fewer than
 * {@value #SLOW} times in the original context is {@code factor} times as long, one that turns more than {@value #FAST} times is
 * as it was, and between them {@code 1 / stored = (1 - s) / factor + s}, where {@code s = (turns - SLOW) / (FAST - SLOW)}.
 *
 * @param originalPositions context that the model was first made for
 */
record Llama3Factors(double factor, int originalPositions) {
    /** {@code low_freq_factor} of every published model. */
    static final int SLOW = 1;

    /** {@code high_freq_factor} of every published model. */
    static final int FAST = 4;

    private static final int PUBLISHED_POSITIONS = 8192;

    /** The factors are stored in float32, after a dozen operations in float32. */
    private static final double PRECISION = 1e-4;

    /**
     * The parameters that gave {@code stored}, one for each pair of a head's elements; nothing if they are of another form.
     *
     * @param theta base of the frequencies
     */
    static Optional<Llama3Factors> of(float[] stored, double theta) {
        double factor = 1;
        for (float each : stored) {
            factor = Math.max(factor, each);
        }

        Llama3Factors found = new Llama3Factors(factor, positions(stored, theta, factor));
        return found.explains(stored, theta) ? Optional.of(found) : Optional.empty();
    }

    /**
     * The factors that llama.cpp's converter stores, in its order of operations in float32.
     *
     * @param scaling of a model with heads of {@code headSize}
     */
    static float[] stored(RotaryScaling.Llama3 scaling, double theta, int headSize) {
        double longest = scaling.originalMaxPositions() / scaling.lowFrequencyFactor();
        double shortest = scaling.originalMaxPositions() / scaling.highFrequencyFactor();
        float[] stored = new float[headSize / 2];
        for (int pair = 0; pair < stored.length; pair++) {
            float frequency = 1 / (float) Math.pow(theta, 2f * pair / headSize);
            float wave = 1 / frequency * (float) (2 * Math.PI);
            if (wave < shortest) {
                stored[pair] = 1;
            } else if (wave > longest) {
                stored[pair] = (float) scaling.factor();
            } else {
                stored[pair] = between(scaling, wave);
            }
        }

        return stored;
    }

    private static float between(RotaryScaling.Llama3 scaling, float wave) {
        float turns = 1 / wave * scaling.originalMaxPositions();
        float width = (float) (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
        float kept = (turns - (float) scaling.lowFrequencyFactor()) / width;
        return 1 / ((1 - kept) / (float) scaling.factor() + kept);
    }

    /** From the wave nearest to the middle between kept and stretched, where rounding moves it least. */
    private static int positions(float[] stored, double theta, double factor) {
        double best = 1;
        long positions = PUBLISHED_POSITIONS;
        for (int pair = 0; pair < stored.length; pair++) {
            double kept = (1 / stored[pair] - 1 / factor) / (1 - 1 / factor);
            double distance = Math.abs(kept - 0.5);
            if (distance < Math.min(best, 0.5 - PRECISION)) {
                best = distance;
                positions = Math.round(waveLength(pair, theta, stored.length) * (kept * (FAST - SLOW) + SLOW));
            }
        }

        return (int) Math.min(positions, Integer.MAX_VALUE);
    }

    private boolean explains(float[] stored, double theta) {
        for (int pair = 0; pair < stored.length; pair++) {
            double turns = originalPositions / waveLength(pair, theta, stored.length);
            double kept = Math.max(0, Math.min(1, (turns - SLOW) / (FAST - SLOW)));
            double expected = 1 / ((1 - kept) / factor + kept);
            if (!(Math.abs(stored[pair] - expected) <= PRECISION * expected)) {
                return false;
            }
        }

        return true;
    }

    private static double waveLength(int pair, double theta, int pairs) {
        return 2 * Math.PI * Math.pow(theta, (double) pair / pairs);
    }
}
