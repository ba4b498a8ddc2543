package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class FourBitQuantizerTest {
    static Stream<QuantSpec> specs() {
        return Stream.of(FourBitCode.values())
                .flatMap(code -> Stream.of(32, 64, 512, 4096)
                        .flatMap(size -> Stream.of(true, false).map(nested -> new QuantSpec(code, size, nested))));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void oneThreadAndThreeGiveTheSameBytes(QuantSpec spec) {
        float[] values = QuantTesting.normal(7, 100_001);
        FourBitTensor alone = QuantTesting.quantize(spec, values);
        try (Workers three = new Workers(3)) {
            FourBitTensor together = new FourBitQuantizer(spec, three).quantize(FloatSource.of(values));

            assertThat(QuantTesting.packed(together)).isEqualTo(QuantTesting.packed(alone));
            assertThat(QuantTesting.scales(together)).isEqualTo(QuantTesting.scales(alone));
        }
    }

    @Test
    void firstElementsFillTheHighHalves() {
        float[] values = new float[64];
        values[0] = 1;
        values[1] = -1;

        byte[] packed = QuantTesting.packed(QuantTesting.quantize(QuantSpec.DEFAULT, values));

        assertThat(packed).startsWith(0xf0, 0x77, 0x77).endsWith(0x77);
    }

    @Test
    void aBlockOfZerosHasTheCodeOfZero() {
        FourBitTensor tensor = QuantTesting.quantize(new QuantSpec(FourBitCode.NF4, 64, false), new float[64]);

        assertThat(QuantTesting.packed(tensor)).containsOnly(0x77);
        assertThat(QuantTesting.scales(tensor)).containsExactly(0f);
    }

    @Test
    void anOddNumberOfWeightsIsPaddedWithZero() {
        FourBitTensor tensor = QuantTesting.quantize(new QuantSpec(FourBitCode.NF4, 64, false), 2f, 2f, 2f);

        assertThat(QuantTesting.packed(tensor)).containsExactly(0xff, 0xf7);
        assertThat(QuantTesting.floats(tensor)).containsExactly(2f, 2f, 2f);
    }

    @ParameterizedTest
    @EnumSource(FourBitCode.class)
    void noWeightsTakeNoBytes(FourBitCode code) {
        FourBitTensor tensor = QuantTesting.quantize(new QuantSpec(code, 64, true));

        assertThat(tensor.packed().remaining()).isZero();
        assertThat(QuantTesting.floats(tensor)).isEmpty();
    }

    @Test
    void namesTheElementThatIsNotFinite() {
        float[] values = QuantTesting.normal(3, 40_000);
        values[30_000] = Float.NaN;

        assertThatThrownBy(() -> QuantTesting.quantize(QuantSpec.DEFAULT, values))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot quantise element 30000: expected a finite number, found NaN");
    }

    @Test
    void defaultTakesTheBitsOfTheQloraPaper() {
        assertThat(QuantSpec.DEFAULT.bitsPerWeight()).isEqualTo(4.126953125);
        assertThat(new QuantSpec(FourBitCode.NF4, 64, false).bitsPerWeight()).isEqualTo(4.5);
    }

    @Test
    void refusesBlocksThatAreNoPowerOfTwo() {
        assertThatThrownBy(() -> new QuantSpec(FourBitCode.NF4, 48, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot quantise in blocks of 48: expected a power of two from 32 to 4096");
    }

    @Test
    void refusesUnknownCodes() {
        assertThatThrownBy(() -> FourBitCode.parse("int4"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use 4-bit code 'int4': expected nf4 or fp4");
    }
}
