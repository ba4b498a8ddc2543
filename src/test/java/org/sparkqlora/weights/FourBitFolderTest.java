package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.ModelFolders;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

class FourBitFolderTest {
    /** The reference sums the scales in another order. */
    private static final double MEAN_PERCENTAGE = 1e-4;

    private final Workers workers = new Workers(2);

    @TempDir
    private Path temporary;

    static List<String> models() {
        return Goldens.MODELS;
    }

    @AfterEach
    void stopWorkers() {
        workers.close();
    }

    @ParameterizedTest
    @MethodSource("models")
    void holdsTheCodesThatTheReferenceComputed(String model) {
        SafetensorsFile expected = SafetensorsFile.open(Goldens.path("models/" + model + "/quantized.safetensors"));
        WeightFolder source = WeightFolder.open(Goldens.base(model));
        WeightFolder written = write(source, QuantSpec.DEFAULT);

        for (String name : DecoderTensors.of(source.config()).projections()) {
            FourBitTensor tensor = written.fourBit(name).orElseThrow();
            NestedScales scales = (NestedScales) tensor.scales();
            assertThat(tensor.packed())
                    .isEqualTo(expected.tensor(name + ".codes").buffer());
            assertThat(scales.codes())
                    .isEqualTo(expected.tensor(name + ".absmax_codes").buffer());
            assertThat(scales.offset())
                    .isCloseTo(expected.tensor(name + ".offset").buffer().getFloat(), withPercentage(MEAN_PERCENTAGE));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void copiesEverythingElseAsStored(String model) {
        WeightFolder source = WeightFolder.open(Goldens.base(model));
        WeightFolder written = write(source, QuantSpec.DEFAULT);
        List<String> projections = DecoderTensors.of(source.config()).projections();

        written.checkShapes();
        written.checkFinite(workers);
        assertThat(written.config()).isEqualTo(source.config());
        assertThat(written.names()).containsExactlyInAnyOrderElementsOf(source.names());
        for (String name : source.names()) {
            assertThat(written.fourBit(name).isPresent()).isEqualTo(projections.contains(name));
            if (!projections.contains(name)) {
                assertThat(written.tensor(name).spec())
                        .isEqualTo(source.tensor(name).spec());
                assertThat(written.tensor(name).buffer())
                        .isEqualTo(source.tensor(name).buffer());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"NF4, 64, true", "FP4, 128, false", "NF4, 32, false", "FP4, 64, true"})
    void readsBackWithTheSpecItWasWrittenWith(FourBitCode code, int blockSize, boolean doubleQuant) {
        WeightFolder source = WeightFolder.open(Goldens.base("llama-rope3-bf16"));
        WeightFolder written = write(source, new QuantSpec(code, blockSize, doubleQuant));

        String name = "model.layers.2.mlp.down_proj.weight";
        FourBitTensor tensor = written.fourBit(name).orElseThrow();

        assertThat(tensor.levels()).isEqualTo(code.levels());
        assertThat(tensor.blockSize()).isEqualTo(blockSize);
        assertThat(tensor.scales() instanceof NestedScales).isEqualTo(doubleQuant);
        assertThat(written.shapeOf(name)).containsExactly(96, 160);
    }

    @Test
    void writesTheLayoutThatBitsandbytesReads() {
        WeightFolder written = write(WeightFolder.open(Goldens.base("llama-rope3-bf16")), QuantSpec.DEFAULT);
        SafetensorsFile file = SafetensorsFile.open(written.path().resolve("model.safetensors"));
        String name = "model.layers.0.self_attn.k_proj.weight";

        assertThat(file.metadata()).containsEntry("format", "pt");
        assertThat(file.tensor(name).spec()).isEqualTo(TensorSpec.of(name, StoredType.U8, 2304, 1));
        assertThat(file.tensor(name + ".absmax").spec()).hasToString(name + ".absmax U8[72]");
        assertThat(file.tensor(name + ".quant_map").spec()).hasToString(name + ".quant_map F32[16]");
        assertThat(file.tensor(name + ".nested_absmax").spec()).hasToString(name + ".nested_absmax F32[1]");
        assertThat(file.tensor(name + ".nested_quant_map").spec()).hasToString(name + ".nested_quant_map F32[256]");
        assertThat(text(file.tensor(name + ".quant_state.bitsandbytes__nf4")))
                .startsWith(
                        "{\"quant_type\": \"nf4\", \"blocksize\": 64, \"dtype\": \"bfloat16\", \"shape\": [48, 96], \"nested_blocksize\": 256, \"nested_dtype\": \"float32\", \"nested_offset\": 0.");
        for (String tensor : file.names()) {
            assertThat(file.tensor(tensor).position()
                            % file.tensor(tensor).type().bytes())
                    .as("alignment of %s", tensor)
                    .isZero();
        }
    }

    @Test
    void writesTheConfigThatTransformersReads() throws IOException {
        WeightFolder written = write(WeightFolder.open(Goldens.base("llama-tied")), QuantSpec.DEFAULT);

        assertThat(Files.readString(written.path().resolve("config.json")))
                .startsWith("""
                        {
                          "architectures": [
                            "LlamaForCausalLM"
                          ],
                        """)
                .contains("  \"rms_norm_eps\": 1e-05,\n")
                .contains("""
                          "quantization_config": {
                            "_load_in_4bit": true,
                            "_load_in_8bit": false,
                            "bnb_4bit_compute_dtype": "float32",
                            "bnb_4bit_quant_storage": "uint8",
                            "bnb_4bit_quant_type": "nf4",
                            "bnb_4bit_use_double_quant": true,
                            "llm_int8_enable_fp32_cpu_offload": false,
                            "llm_int8_has_fp16_weight": false,
                            "llm_int8_skip_modules": [
                              "lm_head"
                            ],
                            "llm_int8_threshold": 6.0,
                            "load_in_4bit": true,
                            "load_in_8bit": false,
                            "quant_method": "bitsandbytes"
                          },
                        """);
    }

    @Test
    void takesTheTokenizerAlong() throws IOException {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages }}");
        Files.writeString(folder.resolve("notes.md"), "not part of the model");

        WeightFolder written = write(WeightFolder.open(folder), QuantSpec.DEFAULT);

        assertThat(written.path().resolve("tokenizer.json")).hasContent("{}");
        assertThat(written.path().resolve("chat_template.jinja")).hasContent("{{ messages }}");
        assertThat(written.path().resolve("notes.md")).doesNotExist();
    }

    @Test
    void refusesToQuantiseTwice() {
        WeightFolder written = write(WeightFolder.open(Goldens.base("llama-tied")), QuantSpec.DEFAULT);

        assertThatThrownBy(() -> write(written, QuantSpec.DEFAULT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot quantise %s: expected weights as they were trained, found 4-bit weights",
                        written.path());
    }

    @Test
    void refusesToOverwriteAFolder() throws IOException {
        Path target = Files.createDirectory(temporary.resolve("there"));
        WeightFolder source = WeightFolder.open(Goldens.base("llama-tied"));

        assertThatThrownBy(() -> FourBitFolder.write(source, QuantSpec.DEFAULT, workers, target))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot write %s: expected a folder that does not exist yet, found one", target);
    }

    @Test
    void leavesNothingWhenAWeightCannotBeQuantised() {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        ModelFolders.setFloat(folder, "model.layers.1.mlp.up_proj.weight", 1234, Float.NaN);
        WeightFolder source = WeightFolder.open(folder);
        Path target = temporary.resolve("out/target");

        assertThatThrownBy(() -> FourBitFolder.write(source, QuantSpec.DEFAULT, workers, target))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot quantise weight model.layers.1.mlp.up_proj.weight of %s: Cannot quantise element 1234: expected a finite number, found NaN",
                        folder.resolve("model.safetensors"));
        assertThat(target.getParent()).isEmptyDirectory();
    }

    private WeightFolder write(WeightFolder source, QuantSpec spec) {
        Path target = temporary.resolve("written-" + System.nanoTime());
        FourBitFolder.write(source, spec, workers, target);
        return WeightFolder.open(target);
    }

    private static String text(StoredTensor tensor) {
        return StandardCharsets.UTF_8.decode(tensor.buffer()).toString();
    }
}
