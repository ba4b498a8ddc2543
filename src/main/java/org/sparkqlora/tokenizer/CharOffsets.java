package org.sparkqlora.tokenizer;

/** Where each code point of a text begins in Java's UTF-16 units; the tokenizers' library counts code points. */
final class CharOffsets {
    private final int[] unitsByCodePoint;

    private CharOffsets(int[] unitsByCodePoint) {
        this.unitsByCodePoint = unitsByCodePoint;
    }

    static CharOffsets of(String text) {
        int count = text.codePointCount(0, text.length());
        int[] units = new int[count + 1];
        int unit = 0;
        for (int i = 0; i < count; i++) {
            units[i] = unit;
            unit += Character.charCount(text.codePointAt(unit));
        }

        units[count] = unit;
        return new CharOffsets(units);
    }

    int unit(int codePoint) {
        return unitsByCodePoint[codePoint];
    }
}
