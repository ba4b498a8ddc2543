package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class FourBitKernelTest {
    private final FourBitKernel scalar = new FourBitKernel.Scalar();

    static Stream<Arguments> inputs() {
        return Stream.of(new VectorFourBitKernel(), new ByteTableFourBitKernel())
                .flatMap(vector -> Stream.of(32, 64, 128, 4096)
                        .flatMap(blockSize -> Stream.of(1, 8, 15, 16, 17, 31, 32, 100, 2048, 5001)
                                .map(bytes -> Arguments.of(
                                        Named.of(vector.getClass().getSimpleName(), vector), blockSize, bytes))));
    }

    @ParameterizedTest(name = "{0}, blocks of {1}, {2} bytes")
    @MethodSource("inputs")
    void vectorKernelEqualsItsScalarTwinBitForBit(FourBitKernel vector, int blockSize, int bytes) {
        byte[] packed = new byte[bytes];
        new SplittableRandom(bytes).nextBytes(packed);
        float[] scales = QuantTesting.normal(blockSize, 2 * bytes / blockSize + 1);
        float[] levels = FourBitCode.NF4.levels();

        short[] expected = new short[2 * bytes];
        scalar.toBfloat16(packed, bytes, levels, scales, blockSize, expected);
        short[] found = new short[2 * bytes];
        vector.toBfloat16(packed, bytes, levels, scales, blockSize, found);
        assertThat(found).isEqualTo(expected);

        float[] expectedFloats = new float[2 * bytes];
        scalar.toFloat(packed, bytes, levels, scales, blockSize, expectedFloats);
        float[] foundFloats = new float[2 * bytes];
        vector.toFloat(packed, bytes, levels, scales, blockSize, foundFloats);
        assertThat(foundFloats).isEqualTo(expectedFloats);
    }

    @Test
    void theHighHalfOfAByteIsTheEarlierElement() {
        float[] values = new float[2];
        scalar.toFloat(new byte[] {(byte) 0xf0}, 1, FourBitCode.NF4.levels(), new float[] {3}, 64, values);

        assertThat(values).containsExactly(3, -3);
    }

    @Test
    void theWidestTableThatFitsARegisterIsChosen() {
        Class<? extends FourBitKernel> narrower =
                ByteTableFourBitKernel.isSupported() ? ByteTableFourBitKernel.class : FourBitKernel.Scalar.class;
        assertThat(FourBitKernel.fastest())
                .isInstanceOf(VectorFourBitKernel.isSupported() ? VectorFourBitKernel.class : narrower);
    }
}
