package org.sparkqlora.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PythonLiteralTest {
    static LongStream seeds() {
        return LongStream.range(0, 5);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0.0",
        "-0.0, -0.0",
        "1, 1.0",
        "-2.5, -2.5",
        "0.1, 0.1",
        "1e-4, 0.0001",
        "1e-5, 1e-05",
        "1.5e-7, 1.5e-07",
        "2e-3, 0.002",
        "123456789012345680, 1.2345678901234568e+17",
        "1e15, 1000000000000000.0",
        "1e16, 1e+16",
        "0.049254558980464935, 0.049254558980464935",
        "2.2250738585072014e-308, 2.2250738585072014e-308",
        "4.9e-324, 5e-324",
        "-1e100, -1e+100",
        "2e23, 2e+23",
        "1125899906842624.25, 1125899906842624.2"
    })
    void writesWhatPythonWrites(double value, String expected) {
        assertThat(PythonLiteral.number(value)).isEqualTo(expected);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void readsBackAsTheSameNumber(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2_000; i++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(value)) {
                assertThat(Double.parseDouble(PythonLiteral.number(value))).isEqualTo(value);
            }
        }
    }

    @Test
    void refusesNumbersThatJsonDoesNotHave() {
        assertThatThrownBy(() -> PythonLiteral.number(Double.NaN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot write NaN as JSON: expected a finite number");
    }
}
