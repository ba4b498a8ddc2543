package org.sparkqlora.model;

/**
 * A text to be continued.
 *
 * @param prompt its tokens, at least one
 */
public record PromptedText(int[] prompt, GenerationSpec spec) {
    public PromptedText {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("Cannot continue a prompt: expected at least 1 token, found none");
        }
    }
}
