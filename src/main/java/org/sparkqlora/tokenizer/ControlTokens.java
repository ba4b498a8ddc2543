package org.sparkqlora.tokenizer;

import java.util.function.IntPredicate;

/**
 * Tokens by which the ends of an example are judged.
 *
 * @param bos begins a text; -1 when the tokenizer has none
 * @param isSpecial whether an id is that of a control token, such as the end of a turn
 * @param isBlank whether an id stands for white space alone
 */
public record ControlTokens(int bos, IntPredicate isSpecial, IntPredicate isBlank) {
    /** Of ids whose tokenizer is not known: nothing is judged. */
    public static final ControlTokens UNKNOWN = new ControlTokens(-1, id -> true, id -> false);

    /** Those of a tokenizer, which must stay open. */
    public static ControlTokens of(ModelTokenizer tokenizer) {
        return new ControlTokens(tokenizer.bos().orElse(-1), tokenizer::isSpecial, tokenizer::isBlank);
    }

    /** Whether BOS stands there twice, so that the model sees what it never saw. */
    public boolean beginsTwice(EncodedExample example) {
        return bos >= 0 && example.length() > 1 && example.ids()[0] == bos && example.ids()[1] == bos;
    }

    /** Whether the control token that ends the example stands there twice: a template and the data wrote one each. */
    public boolean endsTwice(EncodedExample example) {
        if (equals(UNKNOWN)) {
            return false;
        }

        int t = example.length() - 1;
        while (t > 0 && !(example.trained()[t] && isSpecial.test(example.ids()[t]))) {
            t--;
        }

        return t > 0 && example.ids()[t - 1] == example.ids()[t];
    }

    /**
     * Whether the trained tokens do not end with a control token, so that nothing teaches the model to stop. White space behind
     * it counts as its end: templates that mark what is trained often have a line's end there.
     */
    public boolean missesEnd(EncodedExample example) {
        boolean[] trained = example.trained();
        int[] ids = example.ids();
        int last = trained.length - 1;
        while (last >= 0 && !trained[last]) {
            last--;
        }

        if (last < 0) {
            return false;
        }

        while (last >= 0 && trained[last] && !isSpecial.test(ids[last]) && isBlank.test(ids[last])) {
            last--;
        }

        return last < 0 || !trained[last] || !isSpecial.test(ids[last]);
    }
}
