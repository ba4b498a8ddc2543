package org.sparkqlora.model.generation;

import org.sparkqlora.input.BadInputException;

/**
 * A text to be continued.
 *
 * @param prompt its tokens, at least one
 */
public record PromptedText(int[] prompt, GenerationSpec spec) {
    public PromptedText {
        if (prompt.length == 0) {
            throw new BadInputException("Cannot continue a prompt: expected at least 1 token, found none");
        }
    }

    /** Tokens that pass a model at most: the one that is chosen last does not. */
    public int longest() {
        return prompt.length + spec.maxNewTokens() - 1;
    }
}
