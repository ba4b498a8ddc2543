package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.ModelFolders;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

class BnbTensorTest {
    private static final String WEIGHT = "model.layers.0.self_attn.q_proj.weight";
    private static final String NESTED = "bnb-4bit/nf4_dq_u8_30x50.safetensors";

    @TempDir
    private Path temporary;

    static Stream<String> goldens() {
        return Stream.of("nf4", "fp4")
                .flatMap(code -> Stream.of("dq", "plain").map(scales -> code + "_" + scales))
                .flatMap(name -> Stream.of("u8", "bf16").map(storage -> name + "_" + storage))
                .flatMap(name -> Stream.of("30x50", "48x192").map(shape -> name + "_" + shape));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void readsWhatBitsandbytesWrote(String name) throws IOException {
        WeightFolder folder = folderWith(Goldens.path("bnb-4bit/" + name + ".safetensors"));
        SafetensorsFile expected = SafetensorsFile.open(Goldens.path("bnb-4bit/" + name + ".expected.safetensors"));

        FourBitTensor tensor = folder.fourBit(WEIGHT).orElseThrow();

        assertThat(folder.quantized()).isTrue();
        assertThat(folder.names()).containsExactly(WEIGHT);
        assertThat(folder.shapeOf(WEIGHT))
                .isEqualTo(expected.tensor("dequant_f32").shape());
        int elements = (int) tensor.elements();
        FloatBuffer floats = FloatBuffer.allocate(elements);
        ShortBuffer halves = ShortBuffer.allocate(elements);
        try (Workers workers = new Workers(1)) {
            new FourBitDequantizer(workers).toFloat(tensor, floats);
            new FourBitDequantizer(workers).toBfloat16(tensor, halves);
        }

        assertThat(floats.clear())
                .isEqualTo(expected.tensor("dequant_f32").buffer().asFloatBuffer());
        assertThat(halves.clear())
                .isEqualTo(expected.tensor("dequant_bf16").buffer().asShortBuffer());
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void writesTheQuantisationStateByteForByte(String name) {
        SafetensorsFile file = SafetensorsFile.open(Goldens.path("bnb-4bit/" + name + ".safetensors"));
        String text = file.names().stream()
                .filter(tensor -> tensor.contains("quant_state"))
                .map(tensor -> StandardCharsets.UTF_8
                        .decode(file.tensor(tensor).buffer())
                        .toString())
                .findFirst()
                .orElseThrow();

        assertThat(BnbQuantStateJson.write(BnbQuantStateJson.parse("state", text)))
                .isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"F16, 375", "F32, 188"})
    void readsPackedCodesUnderAnyElementType(StoredType storage, int elements) throws IOException {
        SafetensorsFile original = SafetensorsFile.open(Goldens.path(NESTED));
        byte[] packed = new byte[elements * storage.bytes()]; // float32 storage is padded to whole elements
        original.tensor(WEIGHT).buffer().get(packed, 0, 750);
        Path folder = prepare(Goldens.path(NESTED));
        ModelFolders.replace(folder, TensorSpec.of(WEIGHT, storage, elements, 1), packed);

        FourBitTensor tensor = WeightFolder.open(folder).fourBit(WEIGHT).orElseThrow();

        assertThat(tensor.packed()).isEqualTo(original.tensor(WEIGHT).buffer());
    }

    @Test
    void refusesTooFewPackedCodes() throws IOException {
        Path folder = prepare(Goldens.path(NESTED));
        ModelFolders.replace(folder, TensorSpec.of(WEIGHT, StoredType.U8, 749, 1), new byte[749]);

        assertDamaged(folder, WEIGHT, "expected 750 bytes for 1500 codes, found 749");
    }

    @Test
    void refusesScalesOfTheWrongNumberOrType() throws IOException {
        Path folder = prepare(Goldens.path(NESTED));
        ModelFolders.replace(folder, TensorSpec.of(WEIGHT + ".absmax", StoredType.U8, 23), new byte[23]);
        Path nested = prepare(Goldens.path(NESTED));
        ModelFolders.replace(nested, TensorSpec.of(WEIGHT + ".nested_absmax", StoredType.F16, 1), new byte[2]);

        assertDamaged(
                folder, WEIGHT + ".absmax", "expected 24 scales of type U8, found %s.absmax U8[23]".formatted(WEIGHT));
        assertDamaged(
                nested,
                WEIGHT + ".nested_absmax",
                "expected 1 numbers of type F32, found %s.nested_absmax F16[1]".formatted(WEIGHT));
    }

    @Test
    void refusesScalesThatAreNotFinite() throws IOException {
        Path folder = prepare(Goldens.path("bnb-4bit/nf4_plain_u8_30x50.safetensors"));
        ModelFolders.setFloat(folder, WEIGHT + ".absmax", 7, Float.NaN);

        assertDamaged(folder, WEIGHT + ".absmax", "expected a finite number 7, found NaN");
        try (Workers workers = new Workers(1)) {
            assertThatThrownBy(() -> WeightFolder.open(folder).checkFinite(workers))
                    .isInstanceOf(InvalidWeightsException.class)
                    .hasMessageContaining("expected a finite number 7, found NaN");
        }
    }

    @Test
    void refusesATableOfAnotherCode() throws IOException {
        Path folder = prepare(Goldens.path(NESTED));
        ModelFolders.setFloat(folder, WEIGHT + ".quant_map", 3, 0.5f);

        assertDamaged(folder, WEIGHT + ".quant_map", "expected -0.3949175 for code 3 of NF4, found 0.5");
    }

    @Test
    void refusesAWeightWithoutItsScales() throws IOException {
        Path folder = prepare(Goldens.path(NESTED));
        ModelFolders.remove(folder, WEIGHT + ".absmax");

        assertThatThrownBy(() -> WeightFolder.open(folder).fourBit(WEIGHT))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read tensor %s.absmax of %s: the model has no such tensor among its 5", WEIGHT, folder);
    }

    @Test
    void refusesTwoStatesOfOneWeight() throws IOException {
        Path folder = prepare(Goldens.path(NESTED));
        Path file = folder.resolve("model.safetensors");
        SafetensorsFile original = SafetensorsFile.open(file);
        String second = WEIGHT + ".quant_state.bitsandbytes__fp4";
        List<TensorSpec> specs = original.names().stream()
                .map(name -> original.tensor(name).spec())
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), specs, List.of(second), 10)) {
            specs.forEach(spec -> writer.copy(original.tensor(spec.name())));
            writer.writeText(second, new byte[] {'{', '}'});
            writer.commit();
        }

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read 4-bit weight %s: expected one quantisation state, found [%s.quant_state.bitsandbytes__nf4, %s]",
                        WEIGHT, WEIGHT, second);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "nf4 | int4 | nf4 or fp4 for quant_type, found \"int4\"",
                "\"blocksize\": 64 | \"blocksize\": 48 | a power of two from 32 to 4096 for blocksize, found 48",
                "[30, 50] | [] | a list of sizes for shape, found []",
                "[30, 50] | [30, -1] | a list of sizes for shape, found [30,-1]",
                "nested_dtype\": \"float32 | nested_dtype\": \"float16 | float32 for nested_dtype, found \"float16\"",
                "\"dtype\": \"bfloat16\" | \"d\": 1 | a text for dtype, found nothing",
            })
    void refusesStatesItCannotUse(String from, String to, String expected) {
        String state =
                "{\"quant_type\": \"nf4\", \"blocksize\": 64, \"dtype\": \"bfloat16\", \"shape\": [30, 50], \"nested_blocksize\": 256, \"nested_dtype\": \"float32\", \"nested_offset\": 0.05}";

        assertThatThrownBy(() -> BnbQuantStateJson.parse("state", state.replace(from, to)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read state: expected " + expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.layers.0.mlp.up_proj.bias", "model.norm.weight", "lm_head.weight"})
    void leavesOtherTensorsTheirNames(String name) {
        assertThat(BnbTensor.isCompanion(name)).isFalse();
    }

    private WeightFolder folderWith(Path weights) throws IOException {
        return WeightFolder.open(prepare(weights));
    }

    private Path prepare(Path weights) throws IOException {
        Path folder = Files.createTempDirectory(temporary, "model");
        Files.copy(weights, folder.resolve("model.safetensors"));
        Files.copy(Goldens.base("llama-tied").resolve("config.json"), folder.resolve("config.json"));
        return folder;
    }

    private static void assertDamaged(Path folder, String tensor, String problem) {
        WeightFolder opened = WeightFolder.open(folder);
        assertThatThrownBy(() -> opened.fourBit(WEIGHT))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read tensor %s of %s: %s", tensor, folder.resolve("model.safetensors"), problem);
    }
}
