package org.sparkqlora.quant;

/** What every blockwise code does before it looks for the nearest level: scale a block to [-1, 1]. */
final class BlockArithmetic {
    /** Stands in for the absmax of a block of zeros, whose values then stay zero instead of becoming NaN. */
    private static final float SMALLEST_ABSMAX = 1e-38f;

    private BlockArithmetic() {}

    /** Largest absolute value of {@code values[from..from+count-1]}; NaN when one of them is NaN. */
    static float absmax(float[] values, int from, int count) {
        int largest = 0; // bit patterns of positive floats are ordered as the floats, with NaN above infinity
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE);
        }

        return Float.intBitsToFloat(largest);
    }

    /**
     * What the values of a block are multiplied by; the reference multiplies by it too rather than divide. A product may
     * leave [-1, 1] by a last bit, which changes no code: no midpoint is out there.
     */
    static float inverse(float absmax) {
        return 1f / Math.max(absmax, SMALLEST_ABSMAX);
    }
}
