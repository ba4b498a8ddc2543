package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * The vocabulary that the token ids of rows belong to.
 *
 * @param tokenizer SHA-256 of the {@code tokenizer.json} that made them; empty for ids made elsewhere
 * @param vocabulary rows of the embedding that they are for; 0 when it is not known
 */
public record TokenIds(String tokenizer, int vocabulary) implements Serializable {
    /** Nothing is known of them. */
    public static final TokenIds UNKNOWN = new TokenIds("", 0);

    /** Refuses rows with these ids, in {@code folder}, for a model that takes {@code model}. */
    void requireFor(TokenIds model, String folder) {
        if (!tokenizer.isEmpty() && !model.tokenizer.isEmpty() && !tokenizer.equals(model.tokenizer)) {
            throw new BadInputException(
                    "Cannot use the prepared rows in %s: expected token ids of this model's tokenizer (SHA-256 of tokenizer.json %s), found those of another (%s). Prepare the data with this --model"
                            .formatted(folder, model.tokenizer, tokenizer));
        }

        if (vocabulary > model.vocabulary && model.vocabulary > 0) {
            throw new BadInputException(
                    "Cannot use the prepared rows in %s: expected token ids for an embedding of %d rows, found some for %d. Prepare the data with this --model and the same new tokens"
                            .formatted(folder, model.vocabulary, vocabulary));
        }
    }
}
