package org.sparkqlora.tokenizer.packing;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.stream.DoubleStream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.EncodedExample;

/**
 * A row of fixed width: documents one after the other, then padding.
 *
 * @param ids token ids; 0 from {@code length} on
 * @param trained {@code trained[t]}: token t is a prediction target; never the first token of a document, nor padding
 * @param starts {@code starts[t]}: token t is the first of a document
 * @param length tokens before the padding
 * @param values numbers of the documents, as many for each, document after document; empty where they have none
 * @param pairs whether documents come two by two with one prompt, which passes through a model once for both
 */
public record TokenRow(int[] ids, boolean[] trained, boolean[] starts, int length, double[] values, boolean pairs)
        implements Serializable {
    private static final double[] NO_VALUES = {};

    /** A row whose documents have no values. */
    public TokenRow(int[] ids, boolean[] trained, boolean[] starts, int length) {
        this(ids, trained, starts, length, NO_VALUES);
    }

    /** A row whose documents pass one by one. */
    public TokenRow(int[] ids, boolean[] trained, boolean[] starts, int length, double[] values) {
        this(ids, trained, starts, length, values, false);
    }

    public TokenRow {
        if (length < 1 || length > ids.length) {
            throw new BadInputException("Cannot make a row of width %d: expected 1 to %d tokens, found %d"
                    .formatted(ids.length, ids.length, length));
        }

        if (trained.length != ids.length || starts.length != ids.length) {
            throw new BadInputException("Cannot make a row of width %d: found %d mask values and %d start values"
                    .formatted(ids.length, trained.length, starts.length));
        }

        requireValidTokens(ids, trained, starts, length);
        ids = ids.clone();
        trained = trained.clone();
        starts = starts.clone();
        values = values.clone();
    }

    /** A row of {@code width} tokens that holds {@code documents} in their order. */
    public static TokenRow of(List<EncodedExample> documents, int width) {
        return of(documents, width, NO_VALUES);
    }

    /** A row of {@code width} tokens that holds {@code documents} in their order, and their values. */
    public static TokenRow of(List<EncodedExample> documents, int width, double... values) {
        int[] ids = new int[width];
        boolean[] trained = new boolean[width];
        boolean[] starts = new boolean[width];
        int length = 0;
        for (EncodedExample document : documents) {
            System.arraycopy(document.ids(), 0, ids, length, document.length());
            System.arraycopy(document.trained(), 0, trained, length, document.length());
            starts[length] = true;
            length += document.length();
        }

        return new TokenRow(ids, trained, starts, length, values);
    }

    /** This row, the prompt of each two documents passing through a model once. */
    public TokenRow inPairs() {
        return new TokenRow(ids, trained, starts, length, values, true);
    }

    /** This row with the documents that {@code taken} says by their place, and their values; at least one. */
    public TokenRow only(IntPredicate taken) {
        List<DocumentRange> ranges = documents();
        int each = values.length / ranges.size();
        List<EncodedExample> kept = new ArrayList<>();
        DoubleStream.Builder ofKept = DoubleStream.builder();
        for (int d = 0; d < ranges.size(); d++) {
            if (taken.test(d)) {
                kept.add(document(ranges.get(d)));
                Arrays.stream(values, d * each, (d + 1) * each).forEach(ofKept);
            }
        }

        int tokens = kept.stream().mapToInt(EncodedExample::length).sum();
        return of(kept, tokens, ofKept.build().toArray());
    }

    private EncodedExample document(DocumentRange range) {
        return new EncodedExample(
                Arrays.copyOfRange(ids, range.from(), range.to()),
                Arrays.copyOfRange(trained, range.from(), range.to()));
    }

    private static void requireValidTokens(int[] ids, boolean[] trained, boolean[] starts, int length) {
        if (!starts[0]) {
            throw new BadInputException("Cannot make a row whose first token does not start a document");
        }

        for (int t = 0; t < ids.length; t++) {
            if (trained[t] && starts[t]) {
                throw new BadInputException(
                        "Cannot train token %d: it is the first of a document, so nothing predicts it".formatted(t));
            }

            if (t >= length && (ids[t] != 0 || trained[t] || starts[t])) {
                throw new BadInputException(
                        "Cannot use token %d of a row: expected padding from token %d on".formatted(t, length));
            }
        }
    }

    /** Tokens and padding. */
    public int width() {
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

    /** The spans of the documents, in row order. */
    public List<DocumentRange> documents() {
        List<DocumentRange> ranges = new ArrayList<>();
        int from = 0;
        for (int t = 1; t <= length; t++) {
            if (t == length || starts[t]) {
                ranges.add(new DocumentRange(from, t));
                from = t;
            }
        }

        return ranges;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenRow that
                && length == that.length
                && Arrays.equals(ids, that.ids)
                && Arrays.equals(trained, that.trained)
                && Arrays.equals(starts, that.starts)
                && Arrays.equals(values, that.values)
                && pairs == that.pairs;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids)
                + 31 * (Arrays.hashCode(trained) + 31 * (Arrays.hashCode(starts) + 31 * Arrays.hashCode(values)));
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "TokenRow[width=%d, length=%d, documents=%d, trained=%d]",
                width(),
                length,
                documents().size(),
                trainedTokens());
    }

    /** Tokens {@code from} to {@code to - 1} of a row. */
    public record DocumentRange(int from, int to) {
        public int length() {
            return to - from;
        }
    }
}
