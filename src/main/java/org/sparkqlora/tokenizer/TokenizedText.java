package org.sparkqlora.tokenizer;

import java.util.Arrays;

/**
 * A text's token ids and where each token lies in it.
 *
 * @param ids token ids
 * @param from first char (UTF-16 unit) of each token
 * @param to char after the last of each token; equals {@code from} for a token that the tokenizer added
 */
record TokenizedText(int[] ids, int[] from, int[] to) {
    int length() {
        return ids.length;
    }

    /** Whether any char of token {@code t} lies in {@code start..end-1}. */
    boolean overlaps(int t, int start, int end) {
        return from[t] < end && to[t] > start;
    }

    /** Whether token {@code t} was added by the tokenizer, so that no part of the text stands for it. */
    boolean isAdded(int t) {
        return from[t] == to[t];
    }

    /**
     * These tokens, each reaching back to the end of the one before. Byte-level tokenizers leave the spaces at the beginning
     * of a token out of its place, so that one of spaces alone seems to be nowhere.
     */
    TokenizedText withSpaces() {
        int[] start = from.clone();
        int end = 0;
        for (int t = 0; t < ids.length; t++) {
            if (to[t] > end) {
                start[t] = Math.min(start[t], end);
                end = to[t];
            }
        }

        return new TokenizedText(ids, start, to);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenizedText that
                && Arrays.equals(ids, that.ids)
                && Arrays.equals(from, that.from)
                && Arrays.equals(to, that.to);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids) + 31 * (Arrays.hashCode(from) + 31 * Arrays.hashCode(to));
    }
}
