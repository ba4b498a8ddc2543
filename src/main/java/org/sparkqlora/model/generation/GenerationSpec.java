package org.sparkqlora.model.generation;

import java.io.Serializable;
import java.util.Set;
import org.sparkqlora.input.BadInputException;

/**
 * Parameters of text generation.
 *
 * @param maxNewTokens at most so many
 * @param endIds tokens that end the text
 * @param sampling how each token is chosen
 */
public record GenerationSpec(int maxNewTokens, Set<Integer> endIds, Sampling sampling) implements Serializable {
    public GenerationSpec {
        if (maxNewTokens < 1) {
            throw new BadInputException(
                    "Cannot continue a text by %d tokens: expected at least 1".formatted(maxNewTokens));
        }

        endIds = Set.copyOf(endIds);
    }

    /** These parameters for text {@code number} of many, with random numbers of its own. */
    public GenerationSpec ofText(long number) {
        return new GenerationSpec(maxNewTokens, endIds, sampling.ofText(number));
    }

    /**
     * The next token.
     *
     * @param logits of each token of the vocabulary
     * @param place how many were chosen before
     */
    public int choose(float[] logits, int place) {
        return sampling.choose(logits, place);
    }
}
