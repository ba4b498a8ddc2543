package org.sparkqlora.model;

import java.io.Serializable;
import java.util.Set;

/**
 * How a text is continued: with the likeliest token each time.
 *
 * @param maxNewTokens at most so many
 * @param endIds tokens that end the text
 */
public record GenerationSpec(int maxNewTokens, Set<Integer> endIds) implements Serializable {
    public GenerationSpec {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException(
                    "Cannot continue a text by %d tokens: expected at least 1".formatted(maxNewTokens));
        }

        endIds = Set.copyOf(endIds);
    }

    /**
     * The next token.
     *
     * @param logits of each token of the vocabulary
     * @param place how many were chosen before
     */
    int choose(float[] logits, int place) {
        return largest(logits);
    }

    private static int largest(float[] values) {
        int largest = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[largest]) {
                largest = i;
            }
        }

        return largest;
    }
}
