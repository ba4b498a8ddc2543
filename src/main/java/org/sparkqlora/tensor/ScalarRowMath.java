package org.sparkqlora.tensor;

import org.sparkqlora.quant.Bfloat16;

/** One element at a time. */
final class ScalarRowMath implements RowMath {
    /** Exponents beyond would leave float32's normal numbers. */
    static final float LOWEST = -87;

    static final float HIGHEST = 88;
    static final float LOG2_E = 1.44269504f;

    /** Added and taken away again, rounds to an integer, which is then in the lowest bits. */
    static final float ROUNDER = 0x1.8p23f;

    /** ln 2 in two parts, the first of few bits, so that its products are exact. */
    static final float LN2_HIGH = 0.693359375f;

    static final float LN2_LOW = -2.12194440e-4f;

    /** exp(r) = 1 + r + r^2 P(r) on [-ln2 / 2, ln2 / 2], from the highest power down (Cephes, expf). */
    static final float P5 = 1.9875691500e-4f;

    static final float P4 = 1.3981999507e-3f;
    static final float P3 = 8.3334519073e-3f;
    static final float P2 = 4.1665795894e-2f;
    static final float P1 = 1.6666665459e-1f;
    static final float P0 = 5.0000001201e-1f;

    static final int FRACTION_BITS = 23;

    /** 2 sqrt(2 / pi). */
    static final float GELU_SLOPE = 1.5957691216f;

    static final float GELU_CUBE = 0.044715f;
    static final float GELU_CUBE_SLOPE = 3 * GELU_CUBE;

    @Override
    public void widen(short[] source, float[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = Bfloat16.widen(source[i]);
        }
    }

    @Override
    public void round(float[] source, short[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = Bfloat16.round(source[i]);
        }
    }

    @Override
    public float dot(float[] a, float[] b, int count) {
        float[] lanes = new float[LANES];
        addProducts(a, b, 0, count, lanes);
        return total(lanes);
    }

    @Override
    public float max(float[] x, int count) {
        return max(x, 1, count, x[0]);
    }

    @Override
    public void multiply(float[] a, float[] b, float[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = a[i] * b[i];
        }
    }

    @Override
    public void scale(float alpha, float[] a, float[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = alpha * a[i];
        }
    }

    @Override
    public void combine(float alpha, float[] a, float beta, float[] b, float[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = alpha * a[i] + beta * b[i];
        }
    }

    @Override
    public void addRows(WeightedSums sums, int count, float[] rows, int at, int width) {
        addRows(sums, count, rows, at, width, 0);
    }

    @Override
    public void addRows(WeightedSums sums, int count, short[] rows, int at, int width) {
        addRows(sums, count, rows, at, width, 0);
    }

    /** Columns {@code first ..} alone. */
    static void addRows(WeightedSums sums, int count, float[] rows, int at, int width, int first) {
        for (int sum = 0; sum < sums.count(); sum++) {
            for (int i = 0; i < count; i++) {
                for (int j = first; j < width; j++) {
                    sums.target()[sums.target(sum) + j] +=
                            sums.weights()[sums.weight(sum) + i] * rows[at + i * width + j];
                }
            }
        }
    }

    /** Columns {@code first ..} alone. */
    static void addRows(WeightedSums sums, int count, short[] rows, int at, int width, int first) {
        for (int sum = 0; sum < sums.count(); sum++) {
            for (int i = 0; i < count; i++) {
                for (int j = first; j < width; j++) {
                    sums.target()[sums.target(sum) + j] +=
                            sums.weights()[sums.weight(sum) + i] * Bfloat16.widen(rows[at + i * width + j]);
                }
            }
        }
    }

    @Override
    public float exponentials(float[] x, float scale, float shift, int count) {
        float[] lanes = new float[LANES];
        addExponentials(x, scale, shift, 0, count, lanes);
        return total(lanes);
    }

    @Override
    public void softmaxGradient(float[] p, float[] dp, float scale, float[] target, int count) {
        float projection = dot(p, dp, count);
        for (int i = 0; i < count; i++) {
            target[i] = scale * p[i] * (dp[i] - projection);
        }
    }

    @Override
    public void silu(float[] x, float[] value, float[] slope, int count) {
        for (int i = 0; i < count; i++) {
            siluAt(x, value, slope, i);
        }
    }

    @Override
    public void geluTanh(float[] x, float[] value, float[] slope, int count) {
        for (int i = 0; i < count; i++) {
            geluTanhAt(x, value, slope, i);
        }
    }

    @Override
    public void tanh(float alpha, float[] x, float[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = tanh(alpha * x[i]);
        }
    }

    @Override
    public void turn(float[] row, int heads, float[] cosine, float[] sine, int half) {
        for (int head = 0; head < heads; head++) {
            turn(row, 2 * half * head, cosine, sine, half, 0);
        }
    }

    static void addProducts(float[] a, float[] b, int from, int to, float[] lanes) {
        for (int i = from; i < to; i++) {
            lanes[i % LANES] += a[i] * b[i];
        }
    }

    static float max(float[] x, int from, int to, float start) {
        float max = start;
        for (int i = from; i < to; i++) {
            max = Math.max(max, x[i]);
        }

        return max;
    }

    static void addExponentials(float[] x, float scale, float shift, int from, int to, float[] lanes) {
        for (int i = from; i < to; i++) {
            x[i] = exp(scale * (x[i] - shift));
            lanes[i % LANES] += x[i];
        }
    }

    static void siluAt(float[] x, float[] value, float[] slope, int i) {
        float argument = x[i];
        float sigmoid = sigmoid(argument);
        float product = argument * sigmoid;
        value[i] = product;
        slope[i] = sigmoid + product * (1 - sigmoid);
    }

    static void geluTanhAt(float[] x, float[] value, float[] slope, int i) {
        float argument = x[i];
        float square = argument * argument;
        float sigmoid = sigmoid(GELU_SLOPE * argument * (1 + GELU_CUBE * square));
        float product = argument * sigmoid;
        value[i] = product;
        slope[i] = sigmoid + product * (1 - sigmoid) * (GELU_SLOPE * (1 + GELU_CUBE_SLOPE * square));
    }

    static void turn(float[] row, int at, float[] cosine, float[] sine, int half, int from) {
        for (int i = from; i < half; i++) {
            float x = row[at + i];
            float y = row[at + half + i];
            row[at + i] = x * cosine[i] - y * sine[i];
            row[at + half + i] = y * cosine[i] + x * sine[i];
        }
    }

    static float tanh(float x) {
        return 1 - 2 / (exp(2 * x) + 1);
    }

    static float sigmoid(float x) {
        return 1 / (1 + exp(-x));
    }

    /** Cody and Waite's reduction to {@code 2^n exp(r)}; 2^n goes straight into the exponent's bits. */
    static float exp(float exponent) {
        float x = Math.min(Math.max(exponent, LOWEST), HIGHEST);
        float rounded = x * LOG2_E + ROUNDER;
        float n = rounded - ROUNDER;
        float r = x - n * LN2_HIGH - n * LN2_LOW;
        float p = ((((P5 * r + P4) * r + P3) * r + P2) * r + P1) * r + P0;
        float fraction = p * (r * r) + r + 1;
        int power = Float.floatToRawIntBits(rounded) << FRACTION_BITS;
        return Float.intBitsToFloat(Float.floatToRawIntBits(fraction) + power);
    }

    static float total(float[] lanes) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[i + half];
            }
        }

        return lanes[0];
    }
}
