package org.sparkqlora.weights.gguf;

import java.util.Arrays;

/**
 * The search for the scale of a sub-block: {@code make_qkx2_quants} (scale and minimum) and {@code make_qx_quants} (scale alone)
 * of ggml, operation by operation in float32, which the codes depend on.
 */
final class GgufScaleSearch {
    /** Magnitudes below this are zero. */
    static final float SMALLEST = 1e-15f;

    private static final int SIZE = 32;

    /** 1.5 * 2^23: a float32 that it is added to keeps no bit behind the point. */
    private static final float ROUNDING = 12582912f;

    /**
     * Candidates of a search.
     *
     * @param mostCode codes are 0 to this
     * @param first how far below {@code mostCode} the first candidate's largest code is
     * @param steps number of further candidates, each 0.1 codes above
     */
    record Range(int mostCode, float first, int steps) {}

    private final float[] weights = new float[SIZE];
    private final int[] tried = new int[SIZE];
    private float scale;
    private float minimum;

    /** The scale that {@link #withMinimum} found, 0 or more. */
    float scale() {
        return scale;
    }

    /** What {@link #withMinimum} found that is taken off each number, 0 or more. */
    float minimum() {
        return minimum;
    }

    /** The whole number nearest to {@code value}, halves to the even one. */
    static int nearest(float value) {
        return (Float.floatToRawIntBits(value + ROUNDING) & 0x007fffff) - 0x00400000;
    }

    /** Finds scale and minimum of {@value #SIZE} numbers, and their codes. */
    void withMinimum(float[] x, int from, Range range, int[] codes, int at) {
        weigh(x, from);
        Span span = span(x, from);
        if (span.most() == span.least()) {
            Arrays.fill(codes, at, at + SIZE, 0);
            scale = 0;
            minimum = -span.least();
            return;
        }

        float inverse = range.mostCode() / (span.most() - span.least());
        encode(x, from, inverse, span.least(), range.mostCode());
        take(1 / inverse, span.least(), codes, at);
        float error = error(x, from, scale, span.least());
        for (int step = 0; step <= range.steps(); step++) {
            float least = -minimum; // each candidate begins where the best one so far ends
            inverse = (range.first() + 0.1f * step + range.mostCode()) / (span.most() - least);
            encode(x, from, inverse, least, range.mostCode());
            error = tryCodes(x, from, span, error, codes, at);
        }
    }

    /** Takes the codes that were tried with the scale and minimum that fit them best, if their error is below {@code error}. */
    private float tryCodes(float[] x, int from, Span span, float error, int[] codes, int at) {
        Sums sums = sums(x, from);
        float determinant = span.weights() * sums.codes2() - sums.codes() * sums.codes();
        if (!(determinant > 0)) {
            return error;
        }

        float step = (span.weights() * sums.products() - span.weighted() * sums.codes()) / determinant;
        float least = (sums.codes2() * span.weighted() - sums.codes() * sums.products()) / determinant;
        if (least > 0) {
            least = 0;
            step = sums.products() / sums.codes2();
        }

        float found = error(x, from, step, least);
        if (!(found < error)) {
            return error;
        }

        take(step, least, codes, at);
        return found;
    }

    private void take(float step, float least, int[] codes, int at) {
        System.arraycopy(tried, 0, codes, at, SIZE);
        scale = step;
        minimum = -least;
    }

    /** The facts about numbers before a scale: their range with 0 in it, and sums of weights and of weighted numbers. */
    private record Span(float least, float most, float weights, float weighted) {}

    private Span span(float[] x, int from) {
        float least = x[from];
        float most = x[from];
        float sumWeights = weights[0];
        float sumX = sumWeights * x[from];
        for (int i = 1; i < SIZE; i++) {
            least = Math.min(least, x[from + i]);
            most = Math.max(most, x[from + i]);
            sumWeights += weights[i];
            sumX += weights[i] * x[from + i];
        }

        return new Span(Math.min(least, 0f), most, sumWeights, sumX);
    }

    /** Large numbers count for more, and all for at least the root of their mean square. */
    private void weigh(float[] x, int from) {
        float squares = 0;
        for (int i = 0; i < SIZE; i++) {
            squares += x[from + i] * x[from + i];
        }

        float mean = (float) Math.sqrt(squares / SIZE);
        for (int i = 0; i < SIZE; i++) {
            weights[i] = mean + Math.abs(x[from + i]);
        }
    }

    private void encode(float[] x, int from, float inverse, float least, int mostCode) {
        for (int i = 0; i < SIZE; i++) {
            tried[i] = Math.max(0, Math.min(mostCode, nearest(inverse * (x[from + i] - least))));
        }
    }

    private float error(float[] x, int from, float step, float least) {
        float error = 0;
        for (int i = 0; i < SIZE; i++) {
            float difference = step * tried[i] + least - x[from + i];
            error += weights[i] * (difference * difference);
        }

        return error;
    }

    private Sums sums(float[] x, int from) {
        float codes = 0;
        float codes2 = 0;
        float products = 0;
        for (int i = 0; i < SIZE; i++) {
            float weighted = weights[i] * tried[i];
            codes += weighted;
            codes2 += weighted * tried[i];
            products += weighted * x[from + i];
        }

        return new Sums(codes, codes2, products);
    }

    /** Weighted sums of codes, their squares, and their products with the numbers. */
    private record Sums(float codes, float codes2, float products) {}

    /**
     * The scale of {@code count} numbers with codes of {@code -half} to {@code half - 1}, each written with {@code half} added; numbers
     * count with their squares.
     */
    float symmetric(float[] x, int from, int count, int half, int[] codes, int at) {
        float largest = 0;
        for (int i = from; i < from + count; i++) {
            if (Math.abs(x[i]) > Math.abs(largest)) {
                largest = x[i];
            }
        }

        if (Math.abs(largest) < SMALLEST) {
            Arrays.fill(codes, at, at + count, 0);
            return 0;
        }

        Fit first = fit(x, from, count, half, -half / largest);
        encode(x, from, count, half, -half / largest, codes, at);
        float found = first.squares() == 0 ? 0 : first.products() / first.squares();
        float best = found * first.products();
        for (int step = -9; step <= 9; step++) {
            float inverse = -(half + 0.1f * step) / largest;
            Fit fit = fit(x, from, count, half, inverse);
            if (step != 0 && fit.squares() > 0 && fit.products() * fit.products() > best * fit.squares()) {
                encode(x, from, count, half, inverse, codes, at);
                found = fit.products() / fit.squares();
                best = found * fit.products();
            }
        }

        return found;
    }

    private static Fit fit(float[] x, int from, int count, int half, float inverse) {
        float products = 0;
        float squares = 0;
        for (int i = from; i < from + count; i++) {
            int code = Math.max(-half, Math.min(half - 1, nearest(inverse * x[i])));
            float weight = x[i] * x[i];
            products += weight * x[i] * code;
            squares += weight * code * code;
        }

        return new Fit(products, squares);
    }

    /** Weighted sums of products of numbers and codes, and of the codes' squares. */
    private record Fit(float products, float squares) {}

    private static void encode(float[] x, int from, int count, int half, float inverse, int[] codes, int at) {
        for (int i = 0; i < count; i++) {
            codes[at + i] = half + Math.max(-half, Math.min(half - 1, nearest(inverse * x[from + i])));
        }
    }
}
