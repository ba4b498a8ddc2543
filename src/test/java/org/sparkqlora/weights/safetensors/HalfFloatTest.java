package org.sparkqlora.weights.safetensors;

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
    void narrowsEveryHalfBackToItself() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = HalfFloat.toFloat((short) bits);
            int expected = Float.isNaN(value) ? bits & 0x8000 | 0x7e00 : bits;
            assertThat(HalfFloat.fromFloat(value) & 0xffff)
                    .as("bits %04x", bits)
                    .isEqualTo(expected);
        }
    }

    @Test
    void narrowsToTheNearestHalfAndTiesToTheEvenOne() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            float low = HalfFloat.toFloat((short) bits);
            float high = HalfFloat.toFloat((short) (bits + 1));
            float middle = (low + high) / 2; // exact: a half has 13 bits fewer than a float
            int even = bits + (bits & 1);
            assertThat(HalfFloat.fromFloat(middle)).isEqualTo((short) even);
            assertThat(HalfFloat.fromFloat(Math.nextDown(middle))).isEqualTo((short) bits);
            assertThat(HalfFloat.fromFloat(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
        }
    }

    @Test
    void narrowsWhatIsTooLargeToInfinity() {
        assertThat(HalfFloat.fromFloat(65519.996f)).isEqualTo((short) 0x7bff);
        assertThat(HalfFloat.fromFloat(65520f)).isEqualTo((short) 0x7c00);
        assertThat(HalfFloat.fromFloat(-1e30f)).isEqualTo((short) 0xfc00);
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
