package org.sparkqlora.tensor;

import org.sparkqlora.quant.VectorApi;

/**
 * Arithmetic in float32 on rows of {@code count} numbers. Every implementation gives the same bits: each element is one fixed
 * sequence of IEEE operations, and a sum takes element i to partial sum {@code i % 16}, then adds the partial sums in halves.
 * Targets may be one of the sources.
 */
public interface RowMath {
    /** Partial sums of one sum. */
    int LANES = 16;

    /** The fastest implementation for this machine. */
    static RowMath fastest() {
        if (VectorApi.isUsed() && VectorRowMath.isSupported()) {
            return new VectorRowMath();
        }

        return new ScalarRowMath();
    }

    /** bfloat16 to float32, which is exact. */
    void widen(short[] source, float[] target, int count);

    /** float32 to bfloat16, to the nearest, ties to even. */
    void round(float[] source, short[] target, int count);

    /** {@code sum(a b)}. */
    float dot(float[] a, float[] b, int count);

    /** The largest element of a row of at least one; NaN if one is NaN. */
    float max(float[] x, int count);

    /** {@code target = a b}. */
    void multiply(float[] a, float[] b, float[] target, int count);

    /** {@code target = alpha a}. */
    void scale(float alpha, float[] a, float[] target, int count);

    /** {@code target = alpha a + beta b}. */
    void combine(float alpha, float[] a, float beta, float[] b, float[] target, int count);

    /** Adds {@code count} rows of {@code width} numbers, from {@code rows[at]} on, to each sum, one after the other. */
    void addRows(WeightedSums sums, int count, float[] rows, int at, int width);

    /** The same for rows in bfloat16. */
    void addRows(WeightedSums sums, int count, short[] rows, int at, int width);

    /** {@code x = exp(scale (x - shift))}, exponents held within -87 and 88; returns the sum. */
    float exponentials(float[] x, float scale, float shift, int count);

    /** {@code x = softmax(scale x)}, of at least one. */
    default void softmax(float[] x, float scale, int count) {
        float sum = exponentials(x, scale, max(x, count), count);
        scale(1 / sum, x, x, count);
    }

    /** As {@link #softmax(float[], float, int)}, beside one score more, {@code sink}, whose probability is dropped. */
    default void softmax(float[] x, float scale, float sink, int count) {
        float shift = Math.max(max(x, count), sink / scale);
        float dropped = (float) StrictMath.exp(sink - scale * shift);
        scale(1 / (exponentials(x, scale, shift, count) + dropped), x, x, count);
    }

    /** The gradient of scores {@code s x} whose softmax is p: {@code target = s p (dp - sum(p dp))}. */
    void softmaxGradient(float[] p, float[] dp, float scale, float[] target, int count);

    /** {@code value = x sigmoid(x)} and its derivative. */
    void silu(float[] x, float[] value, float[] slope, int count);

    /** GELU by tanh, {@code value = x sigmoid(2 a), a = sqrt(2 / pi) (x + 0.044715 x^3)}, and its derivative. */
    void geluTanh(float[] x, float[] value, float[] slope, int count);

    /** {@code target = tanh(alpha x)}. */
    void tanh(float alpha, float[] x, float[] target, int count);

    /**
     * Turns pairs (d, d + half) of every head of a token by the angles whose cosines and sines are given:
     * {@code x = x cos - y sin, y = y cos + x sin}.
     *
     * @param row heads of {@code 2 half} numbers, one after the other
     * @param cosine half of them
     * @param sine half of them
     */
    void turn(float[] row, int heads, float[] cosine, float[] sine, int half);
}
