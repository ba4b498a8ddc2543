package org.sparkqlora.tokenizer;

import org.sparkqlora.data.BadRecordException;

/**
 * Limits on the length of texts for the native library. It searches by regular expressions, and ends the process where one gives
 * up after 10 million steps: those of Llama 3 and Qwen take one for each blank of a run.
 *
 * @param run chars that are all blank, or none of them
 * @param text chars altogether
 */
record TextLimit(int run, int text) {
    /** For expressions that do not go back. */
    static final TextLimit LARGEST = new TextLimit(1 << 21, Integer.MAX_VALUE);

    /** The limit that keeps to both. */
    TextLimit and(TextLimit other) {
        return new TextLimit(Math.min(run, other.run), Math.min(text, other.text));
    }

    /** Returns {@code encoded}; throws if it holds half a surrogate pair, as JSON can, or is too long. */
    String require(String encoded) {
        if (encoded.length() > text) {
            throw new BadRecordException(
                    "Cannot encode a text: expected at most %d chars for the regular expressions of this tokenizer, found %d"
                            .formatted(text, encoded.length()));
        }

        int start = 0;
        boolean isBlank = false;
        for (int i = 0; i < encoded.length(); i++) {
            int codePoint = encoded.codePointAt(i);
            if (CharKind.isBlank(codePoint) != isBlank) {
                isBlank = !isBlank;
                start = i;
            }

            requireRun(i - start, start);
            if (Character.isSupplementaryCodePoint(codePoint)) {
                i++;
            } else if (Character.isSurrogate((char) codePoint)) {
                throw new BadRecordException(
                        "Cannot encode a text: expected Unicode, found half a surrogate pair (U+%04X) at char %d"
                                .formatted(codePoint, i));
            }
        }

        return encoded;
    }

    private void requireRun(int chars, int start) {
        if (chars >= run) {
            throw new BadRecordException(
                    "Cannot encode a text: expected at most %d chars without a change between blanks and others, found more from char %d on"
                            .formatted(run, start));
        }
    }
}
