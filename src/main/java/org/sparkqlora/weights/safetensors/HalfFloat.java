package org.sparkqlora.weights.safetensors;

/** IEEE half precision (1 sign, 5 exponent, 10 fraction bits). The JDK has this only from version 20 on. */
public final class HalfFloat {
    private static final int EXPONENT_GAP = 127 - 15;
    private static final float SUBNORMAL_UNIT = 0x1p-24f;
    private static final float SMALLEST_NORMAL = 0x1p-14f;

    /** The midpoint of the largest half and the number after it, which rounds to infinity. */
    private static final float OVERFLOW = 65520f;

    private static final short INFINITY = 0x7c00;
    private static final short NAN = 0x7e00;

    private HalfFloat() {}

    /** The value of {@code bits}, exactly. */
    public static float toFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >>> 10) & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0) {
            float magnitude = fraction * SUBNORMAL_UNIT;
            return sign == 0 ? magnitude : -magnitude;
        }

        int wide = exponent == 0x1f ? 0xff : exponent + EXPONENT_GAP;
        return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
    }

    /** The half nearest to {@code value}, a tie going to the even one. */
    public static short fromFloat(float value) {
        int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
        return (short) (sign | magnitude(Math.abs(value)));
    }

    private static int magnitude(float value) {
        if (Float.isNaN(value)) {
            return NAN;
        }

        if (value >= OVERFLOW) {
            return INFINITY;
        }

        if (value < SMALLEST_NORMAL) {
            return (int) Math.rint(value / SUBNORMAL_UNIT); // the unit is a power of two, so this divides exactly
        }

        int bits = Float.floatToRawIntBits(value) - (EXPONENT_GAP << 23);
        return bits + 0xfff + (bits >>> 13 & 1) >>> 13;
    }
}
