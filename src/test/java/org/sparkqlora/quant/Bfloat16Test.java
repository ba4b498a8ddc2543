package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@NullMarked
class Bfloat16Test {
    @ParameterizedTest(name = "{0} rounds to {1}")
    @CsvSource({
        "1, 1",
        "-1, -1",
        "1.00390625, 1", // half way, the lower is even
        "1.01171875, 1.015625", // half way, the higher is even
        "1.0039064, 1.0078125",
        "3.4028235e38, Infinity",
        "-Infinity, -Infinity",
        "0, 0",
    })
    void roundsToTheNearestAndTiesToEven(float value, float expected) {
        assertThat(Bfloat16.widen(Bfloat16.round(value))).isEqualTo(expected);
    }

    @Test
    void everyBfloat16RoundsToItself() {
        for (int bits = 0; bits <= 0x7f80; bits++) {
            assertThat(Bfloat16.round(Bfloat16.widen((short) bits))).isEqualTo((short) bits);
            assertThat(Bfloat16.round(Bfloat16.widen((short) (bits | 0x8000)))).isEqualTo((short) (bits | 0x8000));
        }
    }
}
