package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HalfFloatTest {
    @Test
    void widensEveryHalfExactly() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float expected = (float) byDefinition(bits);
            assertThat(Float.compare(HalfFloat.toFloat((short) bits), expected))
                    .as("bits %04x", bits)
                    .isZero();
        }
    }

    @Test
    void keepsTheSignOfZero() {
        assertThat(Float.floatToRawIntBits(HalfFloat.toFloat((short) 0x8000))).isEqualTo(0x80000000);
    }

    private static double byDefinition(int bits) {
        double sign = (bits >> 15) == 0 ? 1 : -1;
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        if (exponent == 31) {
            return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
        }

        return exponent == 0
                ? sign * fraction * Math.pow(2, -24)
                : sign * (1024 + fraction) * Math.pow(2, exponent - 25);
    }
}
