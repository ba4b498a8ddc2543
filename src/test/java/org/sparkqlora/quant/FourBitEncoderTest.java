package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class FourBitEncoderTest {
    static Stream<Arguments> inputs() {
        return Stream.of(FourBitCode.values())
                .flatMap(code ->
                        Stream.of(1, 2, 15, 16, 17, 31, 64, 100, 4096, 5001).map(count -> Arguments.of(code, count)));
    }

    @ParameterizedTest(name = "{0}, {1} values")
    @MethodSource("inputs")
    void vectorEncoderEqualsItsScalarTwinBitForBit(FourBitCode code, int count) {
        float[] values = QuantTesting.normal(count, count + 3);
        values[3] = -0f;

        assertEqual(code, values, 3, count);
    }

    @ParameterizedTest
    @EnumSource(FourBitCode.class)
    void tiesAndTheirNeighboursGetTheSameCode(FourBitCode code) {
        float[] midpoints = code.midpoints();
        float[] values = new float[3 * midpoints.length + 3];
        for (int i = 0; i < midpoints.length; i++) {
            values[3 * i] = Math.nextDown(midpoints[i]);
            values[3 * i + 1] = midpoints[i];
            values[3 * i + 2] = Math.nextUp(midpoints[i]);
        }

        values[values.length - 1] = 1; // so that the scale is 1
        assertEqual(code, values, 0, values.length);
    }

    @ParameterizedTest
    @EnumSource(FourBitCode.class)
    void aValueThatIsNoNumberShowsInTheAbsmax(FourBitCode code) {
        SplittableRandom random = new SplittableRandom(1);
        for (int count : new int[] {5, 64, 77}) {
            float[] values = QuantTesting.normal(count, count);
            values[random.nextInt(count)] = Float.NaN;

            assertThat(new FourBitEncoder.ScalarFourBitEncoder(code).absmax(values, 0, count))
                    .isNaN();
            assertThat(new VectorFourBitEncoder(code).absmax(values, 0, count)).isNaN();
        }
    }

    private static void assertEqual(FourBitCode code, float[] values, int from, int count) {
        FourBitEncoder scalar = new FourBitEncoder.ScalarFourBitEncoder(code);
        FourBitEncoder vector = new VectorFourBitEncoder(code);
        float absmax = scalar.absmax(values, from, count);
        assertThat(vector.absmax(values, from, count)).isEqualTo(absmax);

        byte[] expected = new byte[1 + (count + 1) / 2];
        scalar.encode(values, from, count, BlockArithmetic.inverse(absmax), expected, 1);
        byte[] found = new byte[expected.length];
        vector.encode(values, from, count, BlockArithmetic.inverse(absmax), found, 1);
        assertThat(found).isEqualTo(expected);
    }
}
