package org.sparkqlora.quant;

import org.sparkqlora.input.BadInputException;

/** Scales a block to [-1, 1], the first step of every blockwise code. */
final class BlockArithmetic {
    /** Stands in for the absmax of a block of zeros, whose values then stay zero instead of becoming NaN. */
    private static final float SMALLEST_ABSMAX = 1e-38f;

    private BlockArithmetic() {}

    /** Refuses numbers that would turn whole blocks into NaN. */
    static float[] requireFinite(float[] values, String name) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new BadInputException(
                        "Cannot scale by %s[%d]: expected a finite number, found %s".formatted(name, i, values[i]));
            }
        }

        return values;
    }

    /** Largest absolute value of {@code values[from..from+count-1]}; NaN when one of them is NaN. */
    static float absmax(float[] values, int from, int count) {
        int whole = from + count - count % 4;
        int first = 0; // four maxima, none of which waits for another
        int second = 0;
        int third = 0;
        int fourth = 0;
        for (int i = from; i < whole; i += 4) {
            first = Math.max(first, magnitude(values[i]));
            second = Math.max(second, magnitude(values[i + 1]));
            third = Math.max(third, magnitude(values[i + 2]));
            fourth = Math.max(fourth, magnitude(values[i + 3]));
        }

        for (int i = whole; i < from + count; i++) {
            first = Math.max(first, magnitude(values[i]));
        }

        return Float.intBitsToFloat(Math.max(Math.max(first, second), Math.max(third, fourth)));
    }

    /** Bit patterns of positive floats are ordered as the floats, with NaN above infinity. */
    private static int magnitude(float value) {
        return Float.floatToRawIntBits(value) & Integer.MAX_VALUE;
    }

    /**
     * The factor on the values of a block; the reference multiplies by it too rather than divide. A product may
     * leave [-1, 1] by a last bit, which changes no code: no midpoint is out there.
     */
    static float inverse(float absmax) {
        return 1f / Math.max(absmax, SMALLEST_ABSMAX);
    }
}
