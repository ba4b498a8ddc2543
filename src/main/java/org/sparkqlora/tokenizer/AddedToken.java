package org.sparkqlora.tokenizer;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * A token that a tokenizer has beside its vocabulary, as {@code added_tokens} of {@code tokenizer.json} describes it.
 *
 * @param content its text
 * @param singleWord found only as a word of its own
 * @param leftStrip takes the blanks before it
 * @param rightStrip takes the blanks behind it
 * @param normalized found in the text as the tokenizer normalises it, instead of as it is written
 * @param special a control token, which is left out of decoded texts
 */
public record AddedToken(
        String content, boolean singleWord, boolean leftStrip, boolean rightStrip, boolean normalized, boolean special)
        implements Serializable {
    public AddedToken {
        if (content.isBlank()) {
            throw new BadInputException("Cannot add a token: expected a text, found '%s'".formatted(content));
        }
    }

    /** As {@code add_tokens(..., special_tokens=True)} of transformers adds a text. */
    public static AddedToken special(String content) {
        return new AddedToken(content, false, false, false, false, true);
    }
}
