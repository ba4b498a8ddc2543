package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with files that bitsandbytes wrote: its codes, its scales and what it makes of them. */
@NullMarked
class BitsandbytesFilesTest {
    private static final String WEIGHT = "model.layers.0.self_attn.q_proj.weight";
    private static final Pattern OFFSET = Pattern.compile("\"nested_offset\": ([-0-9.e]+)");

    /** The reference adds the scales up in float32 and in another order: a few units in the last place. */
    private static final float MEAN_TOLERANCE = 1e-6f;

    static Stream<String> names() {
        return Stream.of("nf4", "fp4")
                .flatMap(code -> Stream.of("plain", "dq").map(scales -> code + "_" + scales))
                .flatMap(name -> Stream.of("u8", "bf16").map(storage -> name + "_" + storage))
                .flatMap(name -> Stream.of("30x50", "48x192").map(shape -> name + "_" + shape));
    }

    @ParameterizedTest
    @MethodSource("names")
    void dequantisedWeightsEqualThoseOfBitsandbytesBitForBit(String name) {
        GoldenFile expected = expected(name);
        try (Workers workers = new Workers(2)) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            FourBitTensor stored = stored(name);

            assertThat(QuantTesting.floats(dequantizer, stored)).isEqualTo(expected.floats("dequant_f32"));
            assertThat(QuantTesting.bfloat16s(dequantizer, stored)).isEqualTo(expected.shorts("dequant_bf16"));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void codesEqualThoseThatBitsandbytesWrote(String name) {
        FourBitTensor stored = stored(name);
        FourBitTensor own = QuantTesting.quantize(spec(name), expected(name).floats("original_bf16"));

        assertThat(QuantTesting.packed(own)).isEqualTo(QuantTesting.packed(stored));
        assertThat(own.byteSize()).isEqualTo(stored.byteSize());
    }

    @ParameterizedTest
    @MethodSource("names")
    void scalesEqualThoseThatBitsandbytesWrote(String name) {
        BlockScales stored = stored(name).scales();
        BlockScales own = QuantTesting.quantize(spec(name), expected(name).floats("original_bf16"))
                .scales();

        if (stored instanceof NestedScales nested) {
            assertThat(own).isInstanceOfSatisfying(NestedScales.class, found -> assertNested(found, nested));
        } else {
            assertThat(own)
                    .isInstanceOfSatisfying(
                            PlainScales.class,
                            found -> assertThat(found.absmax()).isEqualTo(((PlainScales) stored).absmax()));
        }
    }

    private static void assertNested(NestedScales found, NestedScales expected) {
        assertThat(found.codes()).isEqualTo(expected.codes());
        assertThat(found.map()).isEqualTo(expected.map());
        assertThat(found.offset()).isCloseTo(expected.offset(), within(MEAN_TOLERANCE * expected.offset()));
        for (int i = 0; i < expected.absmax().length; i++) {
            assertThat(found.absmax()[i])
                    .isCloseTo(expected.absmax()[i], within(MEAN_TOLERANCE * expected.absmax()[i]));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void levelsEqualTheStoredMap(String name) {
        assertThat(spec(name).code().levels()).isEqualTo(file(name).floats(WEIGHT + ".quant_map"));
    }

    private static QuantSpec spec(String name) {
        List<String> parts = Arrays.asList(name.split("_", -1));
        return new QuantSpec(FourBitCode.parse(parts.get(0)), 64, parts.get(1).equals("dq"));
    }

    private static GoldenFile file(String name) {
        return GoldenFile.open("bnb-4bit/" + name + ".safetensors");
    }

    private static GoldenFile expected(String name) {
        return GoldenFile.open("bnb-4bit/" + name + ".expected.safetensors");
    }

    private static FourBitTensor stored(String name) {
        GoldenFile file = file(name);
        int elements = expected(name).shorts("original_bf16").length;
        ByteBuffer packed = ByteBuffer.wrap(file.bytes(WEIGHT));
        return new FourBitTensor(spec(name).code(), 64, elements, packed, storedScales(name, file));
    }

    private static BlockScales storedScales(String name, GoldenFile file) {
        if (!spec(name).doubleQuant()) {
            return new PlainScales(file.floats(WEIGHT + ".absmax"));
        }

        String state = new String(
                file.bytes(WEIGHT + ".quant_state.bitsandbytes__"
                        + spec(name).code().optionName()),
                StandardCharsets.UTF_8);
        Matcher offset = OFFSET.matcher(state);
        assertThat(offset.find()).as("offset in %s", state).isTrue();
        return new NestedScales(
                file.bytes(WEIGHT + ".absmax"),
                file.floats(WEIGHT + ".nested_quant_map"),
                file.floats(WEIGHT + ".nested_absmax"),
                256,
                (float) Double.parseDouble(offset.group(1)));
    }
}
