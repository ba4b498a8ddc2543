package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class EightBitEncoderTest {
    static Stream<float[]> maps() {
        return Stream.of(DynamicMap.signed(), DynamicMap.unsigned());
    }

    @ParameterizedTest
    @MethodSource("maps")
    void vectorEncoderEqualsItsScalarTwinBitForBit(float[] map) {
        for (int count : new int[] {1, 7, 8, 9, 15, 16, 17, 100, 256, 5001}) {
            float[] values = QuantTesting.normal(count, count + 3);
            values[3] = -0f;

            assertEqual(map, values, 3, count);
        }
    }

    @ParameterizedTest
    @MethodSource("maps")
    void tiesTheirNeighboursAndWhatIsNoNumberGetTheSameCode(float[] map) {
        float[] values = new float[3 * map.length + 4];
        for (int i = 0; i + 1 < map.length; i++) {
            float midpoint = (map[i] + map[i + 1]) / 2f;
            values[3 * i] = Math.nextDown(midpoint);
            values[3 * i + 1] = midpoint;
            values[3 * i + 2] = Math.nextUp(midpoint);
        }

        values[values.length - 1] = Float.NaN;
        values[values.length - 2] = Float.intBitsToFloat(0xffc00000); // NaN with a sign
        values[values.length - 3] = Float.POSITIVE_INFINITY;
        values[values.length - 4] = Float.NEGATIVE_INFINITY;
        byte[] expected = new byte[values.length];
        byte[] found = new byte[values.length];
        int whole = values.length - values.length % 16;
        for (int from : new int[] {0, values.length - whole}) {
            scalar(map).encode(values, from, whole, 1, expected, from);
            vector(map).encode(values, from, whole, 1, found, from);
        }

        assertThat(found).isEqualTo(expected);
    }

    private static void assertEqual(float[] map, float[] values, int from, int count) {
        float absmax = scalar(map).absmax(values, from, count);
        assertThat(vector(map).absmax(values, from, count)).isEqualTo(absmax);

        byte[] expected = new byte[count + 1];
        scalar(map).encode(values, from, count, BlockArithmetic.inverse(absmax), expected, 1);
        byte[] found = new byte[count + 1];
        vector(map).encode(values, from, count, BlockArithmetic.inverse(absmax), found, 1);
        assertThat(found).isEqualTo(expected);
    }

    private static EightBitEncoder scalar(float[] map) {
        return new EightBitEncoder.ScalarEightBitEncoder(new NearestLevel(map));
    }

    private static EightBitEncoder vector(float[] map) {
        assumeThat(VectorEightBitEncoder.isSupported())
                .as("registers of eight values")
                .isTrue();
        return new VectorEightBitEncoder(new NearestLevel(map));
    }
}
