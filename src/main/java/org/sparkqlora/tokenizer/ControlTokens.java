package org.sparkqlora.tokenizer;

import java.util.function.IntPredicate;

/**
 * Tokens by which the ends of an example are judged.
 *
 * @param bos begins a text; -1 when the tokenizer has none
 * @param isSpecial whether an id is that of a control token, such as the end of a turn
 */
public record ControlTokens(int bos, IntPredicate isSpecial) {
    /** Of ids whose tokenizer is not known: nothing is judged. */
    public static final ControlTokens UNKNOWN = new ControlTokens(-1, id -> true);

    /** Those of a tokenizer, which must stay open. */
    public static ControlTokens of(ModelTokenizer tokenizer) {
        return new ControlTokens(tokenizer.bos().orElse(-1), tokenizer::isSpecial);
    }

    /** Whether BOS stands there twice, so that the model sees what it never saw. */
    public boolean beginsTwice(EncodedExample example) {
        return bos >= 0 && example.length() > 1 && example.ids()[0] == bos && example.ids()[1] == bos;
    }

    /** Whether the last trained token is no control token, so that nothing teaches the model to stop. */
    public boolean missesEnd(EncodedExample example) {
        boolean[] trained = example.trained();
        for (int t = trained.length - 1; t >= 0; t--) {
            if (trained[t]) {
                return !isSpecial.test(example.ids()[t]);
            }
        }

        return false;
    }
}
