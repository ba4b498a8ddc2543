package org.sparkqlora.model.generation;

/**
 * The loss of a text that grows: {@code -log p(token)} of each token that is chosen, also of the one that ends it, under the model's own
 * distribution, whatever the temperature. Takes the tokens of one text, one after the other.
 */
public final class TokenLosses {
    private double sum;
    private long tokens;

    /** @param logits of each token of the vocabulary */
    void add(float[] logits, int token) {
        float largest = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }

        double weights = 0;
        for (float logit : logits) {
            weights += Math.exp((double) logit - largest);
        }

        sum += Math.log(weights) + largest - logits[token];
        tokens++;
    }

    /** In nats. */
    public double sum() {
        return sum;
    }

    /** Tokens that were chosen. */
    public long tokens() {
        return tokens;
    }
}
