package org.sparkqlora.tokenizer;

import java.util.Arrays;
import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/**
 * One document as token ids, with the tokens it is trained on.
 *
 * @param ids token ids, at least one
 * @param trained {@code trained[t]}: token t is a prediction target; never the first, which nothing predicts
 */
public record EncodedExample(int[] ids, boolean[] trained) {
    public EncodedExample {
        if (ids.length == 0) {
            throw new BadInputException("Cannot make an example of 0 tokens: expected at least 1");
        }

        if (trained.length != ids.length) {
            throw new BadInputException("Cannot make an example of %d tokens: expected as many mask values, found %d"
                    .formatted(ids.length, trained.length));
        }

        ids = ids.clone();
        trained = trained.clone();
        trained[0] = false;
    }

    public int length() {
        return ids.length;
    }

    /** The number of tokens that are prediction targets. */
    public int trainedTokens() {
        int count = 0;
        for (boolean target : trained) {
            count += target ? 1 : 0;
        }

        return count;
    }

    /** Tokens before the first that is trained. */
    public int promptLength() {
        int t = 0;
        while (t < trained.length && !trained[t]) {
            t++;
        }

        return t;
    }

    /** The prompt of this example, and behind it what follows the prompt of {@code other}. */
    public EncodedExample answeredBy(EncodedExample other) {
        int prompt = promptLength();
        int from = other.promptLength();
        int length = prompt + other.length() - from;
        int[] joined = Arrays.copyOf(ids, length);
        boolean[] targets = Arrays.copyOf(trained, length);
        System.arraycopy(other.ids, from, joined, prompt, length - prompt);
        System.arraycopy(other.trained, from, targets, prompt, length - prompt);
        return new EncodedExample(joined, targets);
    }

    /**
     * This example with {@code padding} at its end not trained. Sequence classification in transformers scores the last token that is no
     * padding, also where the text itself ends with that token.
     */
    EncodedExample withoutTrained(int padding) {
        boolean[] kept = trained.clone();
        for (int t = ids.length - 1; t > 0 && ids[t] == padding; t--) {
            kept[t] = false;
        }

        return new EncodedExample(ids, kept);
    }

    /** The first {@code width} tokens, or this example when it is no longer than that. */
    public EncodedExample truncatedTo(int width) {
        return ids.length <= width
                ? this
                : new EncodedExample(Arrays.copyOf(ids, width), Arrays.copyOf(trained, width));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EncodedExample that
                && Arrays.equals(ids, that.ids)
                && Arrays.equals(trained, that.trained);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(ids) + Arrays.hashCode(trained);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "EncodedExample[tokens=%d, trained=%d]", ids.length, trainedTokens());
    }
}
