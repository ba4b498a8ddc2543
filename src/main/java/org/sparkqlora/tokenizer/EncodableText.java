package org.sparkqlora.tokenizer;

import org.sparkqlora.data.BadRecordException;

/** Text that the native library can take. */
final class EncodableText {
    /**
     * Of chars that are all blank, or none of them. The library searches by regular expressions, and ends the process where one gives
     * up after 10 million steps: those of Llama 3 and Qwen take one for each blank of a run.
     */
    private static final int LONGEST_RUN = 1 << 21;

    private EncodableText() {}

    /** Returns {@code text}; throws if it holds half a surrogate pair, as JSON can, or goes on for too long without a blank, or with them. */
    static String require(String text) {
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            int codePoint = text.codePointAt(i);
            if (isBlank(codePoint) != isBlank(text.charAt(start))) {
                start = i;
            }

            if (i - start >= LONGEST_RUN) {
                throw new BadRecordException(
                        "Cannot encode a text: expected at most %d chars without a change between blanks and others, found more from char %d on"
                                .formatted(LONGEST_RUN, start));
            }

            if (Character.isSupplementaryCodePoint(codePoint)) {
                i++;
            } else if (Character.isSurrogate((char) codePoint)) {
                throw new BadRecordException(
                        "Cannot encode a text: expected Unicode, found half a surrogate pair (U+%04X) at char %d"
                                .formatted(codePoint, i));
            }
        }

        return text;
    }

    private static boolean isBlank(int codePoint) {
        return Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint);
    }
}
