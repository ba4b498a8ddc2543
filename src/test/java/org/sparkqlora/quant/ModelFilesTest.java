package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Quantises the projections of a reference model and compares with its recorded codes. */
@NullMarked
class ModelFilesTest {
    private static final String FOLDER = "models/llama-tied/";
    private static final String CODES = ".codes";

    /** The reference's float32 mean, a few units in the last place. */
    private static final float MEAN_TOLERANCE = 1e-6f;

    static Stream<String> weights() {
        return StreamSupport.stream(quantized().names().spliterator(), false)
                .filter(name -> name.endsWith(CODES))
                .map(name -> name.substring(0, name.length() - CODES.length()))
                .sorted();
    }

    @ParameterizedTest
    @MethodSource("weights")
    void codesOfAProjectionAreTheRecordedOnes(String weight) {
        GoldenFile expected = quantized();
        float[] values = GoldenFile.open(FOLDER + "base/model.safetensors").floats(weight);

        FourBitTensor tensor = QuantTesting.quantize(QuantSpec.DEFAULT, values);
        NestedScales scales = (NestedScales) tensor.scales();

        assertThat(QuantTesting.packed(tensor)).isEqualTo(expected.bytes(weight + CODES));
        assertThat(scales.codes()).isEqualTo(ByteBuffer.wrap(expected.bytes(weight + ".absmax_codes")));
        float offset = expected.floats(weight + ".offset")[0];
        assertThat(scales.offset()).isCloseTo(offset, within(MEAN_TOLERANCE * offset));
        float absmax = expected.floats(weight + ".nested_absmax")[0];
        assertThat(scales.absmax()).hasSize(1);
        assertThat(scales.absmax()[0]).isCloseTo(absmax, within(MEAN_TOLERANCE * absmax));
    }

    private static GoldenFile quantized() {
        return GoldenFile.open(FOLDER + "quantized.safetensors");
    }
}
