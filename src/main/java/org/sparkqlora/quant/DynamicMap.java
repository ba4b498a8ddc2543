package org.sparkqlora.quant;

import java.util.Arrays;

/**
 * The 8-bit dynamic code: seven decades, each with twice the linear steps of the one below ("8-bit Optimizers via
 * Block-wise Quantization", arXiv:2110.02861). Level sets equal {@code create_dynamic_map} of bitsandbytes bit for bit.
 *
 * <p>Decade {@code i} of 0..6 has the means of neighbouring points of {@code linspace(0.1, 1, n)} times
 * {@code 10^(i - 6)}, with {@code n = 2^i + 1} points, or {@code 2^(i + 1) + 1} where there is no sign; 0 and 1 are added.
 */
public final class DynamicMap {
    private static final int DECADES = 7;

    private DynamicMap() {}

    /** Levels in [-1, 1), and 1: ascending, zero at index 127. */
    public static float[] signed() {
        float[] positive = positive(0);
        float[] map = new float[EightBitCodec.LEVELS];
        for (int i = 0; i < positive.length; i++) {
            map[2 * i] = positive[i];
            map[2 * i + 1] = -positive[i];
        }

        return completed(map);
    }

    /** Levels in [0, 1]: ascending, zero at index 0. */
    public static float[] unsigned() {
        return completed(Arrays.copyOf(positive(1), EightBitCodec.LEVELS));
    }

    /** Between neighbours of a map, ascending: one fewer than it has levels. */
    public static float[] midpoints(float[] map) {
        float[] midpoints = new float[map.length - 1];
        for (int i = 0; i < midpoints.length; i++) {
            midpoints[i] = (map[i] + map[i + 1]) / 2f;
        }

        return midpoints;
    }

    /** Sorts after the last two entries, still zero, have become 0 and 1. */
    private static float[] completed(float[] map) {
        map[map.length - 1] = 1f;
        Arrays.sort(map);
        return map;
    }

    private static float[] positive(int extraBits) {
        float[] means = new float[((1 << DECADES) - 1) << extraBits];
        int filled = 0;
        for (int decade = 0; decade < DECADES; decade++) {
            int steps = 1 << (decade + extraBits);
            float power = (float) StrictMath.pow(10, decade - (DECADES - 1));
            for (int i = 0; i < steps; i++) {
                means[filled++] = power * ((point(i, steps) + point(i + 1, steps)) / 2f);
            }
        }

        return means;
    }

    /** Point {@code i} of 0..steps from 0.1 to 1 as torch computes it: from the nearer end, with a fused multiply-add. */
    private static float point(int i, int steps) {
        float step = (1f - 0.1f) / steps;
        return i < (steps + 1) / 2 ? Math.fma(step, i, 0.1f) : Math.fma(-step, steps - i, 1f);
    }
}
