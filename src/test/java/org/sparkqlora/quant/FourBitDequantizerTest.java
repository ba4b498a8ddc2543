package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class FourBitDequantizerTest {
    private static final int ELEMENTS = 70_001;

    /** Of several chunks; a multiple of every width. */
    private static final int ROWS_OF_ALL = 115_200;

    private final FourBitTensor tensor = QuantTesting.quantize(QuantSpec.DEFAULT, QuantTesting.normal(11, ELEMENTS));

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void aRangeEqualsThatPartOfTheWhole(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int from = random.nextInt(ELEMENTS);
        int count = random.nextInt(ELEMENTS - from);
        try (Workers workers = new Workers(3)) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            FloatBuffer floats = FloatBuffer.allocate(count);
            dequantizer.toFloat(tensor, from, count, floats);

            assertThat(floats.array()).isEqualTo(Arrays.copyOfRange(QuantTesting.floats(tensor), from, from + count));
        }
    }

    @ParameterizedTest(name = "rows of {0}, {1} apart")
    @CsvSource({"576, 608", "64, 64", "100, 132", "38400, 38432", "1, 3"})
    void rowsHoldTheWholeAndLeaveWhatIsBetweenThem(int width, int stride) {
        FourBitTensor whole = QuantTesting.quantize(QuantSpec.DEFAULT, QuantTesting.normal(12, ROWS_OF_ALL));
        int rows = ROWS_OF_ALL / width;
        try (Workers workers = new Workers(2)) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            FloatBuffer floats = FloatBuffer.allocate(rows * stride);
            ShortBuffer shorts = ShortBuffer.allocate(rows * stride);
            dequantizer.toFloat(whole, floats, width, stride);
            dequantizer.toBfloat16(whole, shorts, width, stride);

            float[] wantedFloats = new float[rows * stride];
            short[] wantedShorts = new short[rows * stride];
            float[] allFloats = QuantTesting.floats(whole);
            short[] allShorts = QuantTesting.bfloat16s(dequantizer, whole);
            for (int row = 0; row < rows; row++) {
                System.arraycopy(allFloats, row * width, wantedFloats, row * stride, width);
                System.arraycopy(allShorts, row * width, wantedShorts, row * stride, width);
            }

            assertThat(floats.array()).isEqualTo(wantedFloats);
            assertThat(shorts.array()).isEqualTo(wantedShorts);
        }
    }

    @Test
    void rowsThatDoNotFitAreRefused() {
        try (Workers workers = new Workers(1)) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);

            assertThatThrownBy(() -> dequantizer.toBfloat16(tensor, ShortBuffer.allocate(2 * ELEMENTS), 10, 20))
                    .hasMessage("Cannot write 70001 weights in rows of 10, 20 apart");
            assertThatThrownBy(() -> dequantizer.toFloat(tensor, FloatBuffer.allocate(2 * ELEMENTS - 2), 1, 2))
                    .hasMessageContaining("over 140001 numbers: the buffer has room for 140000");
        }
    }

    @Test
    void bfloat16IsTheFloatRoundedToNearestEven() {
        try (Workers workers = new Workers(1)) {
            float[] floats = QuantTesting.floats(tensor);
            short[] shorts = QuantTesting.bfloat16s(new FourBitDequantizer(workers), tensor);

            for (int i = 0; i < floats.length; i++) {
                assertThat(shorts[i]).isEqualTo(Bfloat16.round(floats[i]));
            }
        }
    }

    @Test
    void writesFromTheBuffersPositionAndLeavesIt() {
        FloatBuffer buffer = QuantTesting.direct(4 * (ELEMENTS + 10)).asFloatBuffer();
        buffer.position(10);
        try (Workers workers = new Workers(2)) {
            new FourBitDequantizer(workers).toFloat(tensor, buffer);
        }

        assertThat(buffer.position()).isEqualTo(10);
        assertThat(buffer.get(9)).isZero();
        assertThat(buffer.get(10)).isEqualTo(QuantTesting.floats(tensor)[0]);
    }

    @Test
    void refusesABufferThatIsTooSmall() {
        try (Workers workers = new Workers(1)) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            assertThatThrownBy(() -> dequantizer.toBfloat16(tensor, ShortBuffer.allocate(5)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot write weights over 70001 numbers: the buffer has room for 5");
        }
    }

    @Test
    void refusesCodesOfAnotherNumberOfWeights() {
        BlockScales scales = new PlainScales(new float[2]);
        assertThatThrownBy(() -> new FourBitTensor(FourBitCode.NF4, 64, 100, ByteBuffer.allocate(49), scales))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot hold 100 weights in blocks of 64: expected 50 bytes of codes, found 49");
    }

    @Test
    void refusesScalesOfAnotherNumberOfBlocks() {
        BlockScales scales = new PlainScales(new float[3]);
        assertThatThrownBy(() -> new FourBitTensor(FourBitCode.NF4, 64, 100, ByteBuffer.allocate(50), scales))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot hold 100 weights in blocks of 64: expected 2 scales, found 3");
    }

    @Test
    void refusesScalesThatAreNotFinite() {
        assertThatThrownBy(() -> new PlainScales(new float[] {1, Float.NaN}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot scale by absmax[1]: expected a finite number, found NaN");
    }

    @Test
    void refusesNestedScalesWithoutTheirBlocks() {
        assertThatThrownBy(() -> new NestedScales(new byte[300], DynamicMap.signed(), new float[1], 256, 0f))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot nest scales: expected 2 nested scales, found 1");
    }
}
