package org.sparkqlora.tokenizer;

import java.util.regex.Pattern;

/** Whether a set of characters holds blanks alone, none of them, or both. Blanks are Unicode's White_Space, as {@code \s} is. */
enum CharKind {
    BLANKS,
    OTHERS,
    ANY;

    private static final int[] ALL_BLANKS = {
        0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
        0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000
    };

    /** Categories of Unicode, and the scripts that tokenizers name. */
    private static final Pattern NOT_BLANK = Pattern.compile(
            "[LMNPS][a-z]?&?|Han|Hiragana|Katakana|Hangul|Bopomofo|Latin|Greek|Cyrillic|Arabic|Hebrew|Thai|Alpha|Digit|Alnum|Upper|Lower|Punct|Word");

    static boolean isBlank(int codePoint) {
        return Character.isSpaceChar(codePoint) || codePoint >= 0x09 && codePoint <= 0x0d || codePoint == 0x85;
    }

    static CharKind of(int codePoint) {
        return isBlank(codePoint) ? BLANKS : OTHERS;
    }

    static CharKind ofRange(int first, int last) {
        int blanks = 0;
        for (int blank : ALL_BLANKS) {
            blanks += blank >= first && blank <= last ? 1 : 0;
        }

        if (blanks == 0) {
            return OTHERS;
        }

        return blanks == last - first + 1 ? BLANKS : ANY;
    }

    /** Of {@code \p{name}}. */
    static CharKind ofProperty(String name) {
        if (NOT_BLANK.matcher(name).matches()) {
            return OTHERS;
        }

        return name.matches("Z[a-z]?|Space|White_Space") ? BLANKS : ANY;
    }

    CharKind or(CharKind other) {
        return this == other ? this : ANY;
    }
}
