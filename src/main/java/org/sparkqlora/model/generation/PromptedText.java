package org.sparkqlora.model.generation;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * A text to be continued.
 *
 * @param prompt its tokens, at least one
 * @param losses gets those of the tokens that continue it; null for none
 */
public record PromptedText(
        int[] prompt, GenerationSpec spec, @Nullable TokenLosses losses) {
    /** A text whose losses nobody asks for. */
    public PromptedText(int[] prompt, GenerationSpec spec) {
        this(prompt, spec, null);
    }

    public PromptedText {
        if (prompt.length == 0) {
            throw new BadInputException("Cannot continue a prompt: expected at least 1 token, found none");
        }
    }

    /** Tokens that pass a model at most: the one that is chosen last does not. */
    public int longest() {
        return prompt.length + spec.maxNewTokens() - 1;
    }

    /**
     * The next token.
     *
     * @param logits of each token of the vocabulary
     * @param place how many were chosen before
     */
    public int choose(float[] logits, int place) {
        int next = spec.choose(logits, place);
        if (losses != null) {
            losses.add(logits, next);
        }

        return next;
    }
}
