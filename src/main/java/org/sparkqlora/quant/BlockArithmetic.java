package org.sparkqlora.quant;

/** What every blockwise code does before it looks for the nearest level: scale a block to [-1, 1]. */
final class BlockArithmetic {
    /** Stands in for the absmax of a block of zeros, whose values then stay zero instead of becoming NaN. */
    private static final float SMALLEST_ABSMAX = 1e-38f;

    private BlockArithmetic() {}

    /** Largest absolute value of {@code values[from..from+count-1]}; NaN when one of them is NaN. */
    static float absmax(float[] values, int from, int count) {
        float absmax = 0;
        for (int i = from; i < from + count; i++) {
            absmax = Math.max(absmax, Math.abs(values[i]));
        }

        return absmax;
    }

    /** What the values of a block are multiplied by; the reference multiplies by it too rather than divide. */
    static float inverse(float absmax) {
        return 1f / Math.max(absmax, SMALLEST_ABSMAX);
    }

    /** The product may leave [-1, 1] by a last bit. */
    static float scaled(float value, float inverse) {
        return Math.max(-1f, Math.min(1f, value * inverse));
    }
}
