package org.sparkqlora.model.loss;

import java.util.Arrays;

/**
 * Measures of the distribution of each predicted token.
 *
 * @param entropies in nats
 * @param meanLogits over the vocabulary
 * @param best 1 where no other token is likelier, else 0
 */
public record TokenMeasures(float[] entropies, float[] meanLogits, float[] best) {
    /** Zeros for {@code tokens}, to be filled. */
    public static TokenMeasures ofTokens(int tokens) {
        return new TokenMeasures(new float[tokens], new float[tokens], new float[tokens]);
    }

    TokenMeasures only(int from, int to) {
        return new TokenMeasures(
                Arrays.copyOfRange(entropies, from, to),
                Arrays.copyOfRange(meanLogits, from, to),
                Arrays.copyOfRange(best, from, to));
    }
}
