package org.sparkqlora.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.util.Arrays;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;

/**
 * Ids of a text and where they lie in it, as the tokenizers' library tells them. Asked for by themselves: DJL's own encoding also
 * fetches the text of each token and five more lists, a quarter of the time that encoding takes, and places take a tenth.
 */
final class NativeEncoding {
    private static final TokenizersLibrary LIBRARY = TokenizersLibrary.LIB;

    private NativeEncoding() {}

    /** Which special tokens, such as BOS, are put around a text. */
    enum Specials {
        OF_TOKENIZER,
        NONE
    }

    static int[] ids(HuggingFaceTokenizer tokenizer, String text, Specials specials) {
        return read(tokenizer, text, specials, NativeEncoding::ids);
    }

    /** With places in Java's UTF-16 units of {@code text}. */
    static TokenizedText located(HuggingFaceTokenizer tokenizer, String text, Specials specials) {
        return read(
                tokenizer,
                text,
                specials,
                encoding -> located(text, ids(encoding), LIBRARY.getTokenCharSpans(encoding)));
    }

    private static <T> T read(HuggingFaceTokenizer tokenizer, String text, Specials specials, LongFunction<T> reader) {
        long encoding = encode(tokenizer, text, specials);
        try {
            return reader.apply(encoding);
        } finally {
            LIBRARY.deleteEncoding(encoding);
        }
    }

    /** Throws for a text that the tokenizer has no tokens for, not even an unknown one. */
    private static long encode(HuggingFaceTokenizer tokenizer, String text, Specials specials) {
        try {
            return LIBRARY.encode(tokenizer.getHandle(), text, specials == Specials.OF_TOKENIZER);
        } catch (RuntimeException e) {
            throw new BadRecordException(
                    "Cannot encode a text: expected one that the tokenizer has tokens for, found an error: "
                            + e.getMessage(),
                    e);
        }
    }

    private static int[] ids(long encoding) {
        return Arrays.stream(LIBRARY.getTokenIds(encoding))
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    /** {@code spans} in code points; null for a token that stands for no part of the text. */
    private static TokenizedText located(String text, int[] ids, @Nullable CharSpan[] spans) {
        CharOffsets offsets = CharOffsets.of(text);
        int[] from = new int[spans.length];
        int[] to = new int[spans.length];
        for (int t = 0; t < spans.length; t++) {
            CharSpan span = spans[t];
            from[t] = span == null ? 0 : offsets.unit(span.getStart());
            to[t] = span == null ? 0 : offsets.unit(span.getEnd());
        }

        return new TokenizedText(ids, from, to);
    }

    /** The offset of each code point of a text in Java's UTF-16 units; the tokenizers' library counts code points. */
    private static final class CharOffsets {
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
}
