package org.sparkqlora.quant;

/** The upper half of a float32: 8 bits of exponent and 7 of fraction. */
public final class Bfloat16 {
    /** Added before truncation. Rounds an exact half down; the lowest bit that stays makes it round to even. */
    private static final int ALMOST_HALF = 0x7fff;

    private Bfloat16() {}

    /** Rounds a number, finite or infinite, to the nearest, ties to even. */
    public static short round(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) ((bits + ALMOST_HALF + ((bits >>> 16) & 1)) >>> 16);
    }

    /** Widens, which is exact. */
    public static float widen(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
