package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.weights.family.RotaryScaling;

class Llama3FactorsTest {
    @ParameterizedTest(name = "factor {0}, {1} positions, theta {2}, head size {3}")
    @MethodSource("models")
    void findsWhatTheFactorsWereMadeOf(double factor, int positions, double theta, int headSize) {
        assertThat(Llama3Factors.of(factors(factor, positions, theta, headSize), theta))
                .hasValue(new Llama3Factors(factor, positions));
    }

    static Stream<Arguments> models() {
        return Stream.of(
                Arguments.of(8, 8192, 500_000, 128), // Llama 3.1 and 3.3
                Arguments.of(32, 8192, 500_000, 64), // Llama 3.2 1B
                Arguments.of(32, 8192, 500_000, 128), // Llama 3.2 3B
                Arguments.of(8, 32, 500, 24));
    }

    @Test
    void refusesFactorsOfAnotherForm() {
        float[] factors = factors(8, 8192, 500_000, 128);
        factors[3] = 1.01f;

        assertThat(Llama3Factors.of(factors, 500_000)).isEmpty();
        assertThat(Llama3Factors.of(new float[] {0, 0, 0}, 500_000)).isEmpty();
        assertThat(Llama3Factors.of(new float[] {1, Float.NaN, 8}, 500_000)).isEmpty();
    }

    /** By the arithmetic of the model itself. */
    private static float[] factors(double factor, int positions, double theta, int headSize) {
        RotaryScaling scaled = new RotaryScaling.Llama3(factor, 1, 4, positions);
        RotaryScaling plain = new RotaryScaling.Unscaled();
        float[] factors = new float[headSize / 2];
        for (int pair = 0; pair < factors.length; pair++) {
            factors[pair] =
                    (float) (plain.frequency(pair, theta, headSize, 1) / scaled.frequency(pair, theta, headSize, 1));
        }

        return factors;
    }
}
