package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;

class GgufExportTest {
    /** Its tokenizer has no scores, and the converter writes a placeholder for them. */
    private static final String WITHOUT_SCORES = "mistral-7B-Instruct-v0.3";

    /** Weights of norms are counted from 0 here and from 1 there, and a decay is stored without its logarithm. */
    private static final float ROUNDING = 5e-7f;

    @TempDir
    Path temporary;

    static Stream<Arguments> exports() throws IOException {
        return ExportGolden.names().stream()
                .filter(name -> !name.equals(WITHOUT_SCORES))
                .flatMap(name -> Stream.of(GgufOutType.values()).map(type -> Arguments.of(name, type)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("exports")
    void aFileIsByteForByteThatOfLlamaCpp(String name, GgufOutType type) throws IOException {
        ExportGolden golden = ExportGolden.of(name);

        Path written = export(golden, type);

        assertThat(tensors(written)).isEqualTo(expectedTensors(golden, type));
        assertThat(written.getFileName())
                .hasToString(golden.file(type.optionName()).path("name").asText());
        assertThat(Sha256.hex(Files.readAllBytes(written)))
                .as("metadata %s", GgufFile.open(written).metadata().values())
                .isEqualTo(golden.file(type.optionName()).path("sha256").asText());
    }

    static Stream<String> models() throws IOException {
        return ExportGolden.names().stream();
    }

    @ParameterizedTest
    @MethodSource("models")
    void aFileReadBackHasTheWeights(String name) throws IOException {
        ExportGolden golden = ExportGolden.of(name);
        Path file = export(golden, GgufOutType.F32);

        GgufFolder.write(file, temporary.resolve("read"));

        try (WeightFolder source = WeightFolder.open(temporary.resolve(name));
                WeightFolder read = WeightFolder.open(temporary.resolve("read"))) {
            read.checkShapes();
            for (String weight : source.names()) {
                assertThat(floatsReadBack(read, weight))
                        .as(weight)
                        .containsExactly(floats(source, weight), offset(ROUNDING));
            }
        }
    }

    /** Of those whose layers, experts or tokens a file says otherwise than a config. */
    @ParameterizedTest
    @ValueSource(strings = {"gemma4", "gemma4-keys", "qwen3-moe", "qwen3-moe-a1b", "olmo3", "qwen3.5-0.8b"})
    void aFileReadBackIsTheSameModel(String name) throws IOException {
        ExportGolden golden = ExportGolden.of(name);

        GgufFolder.write(export(golden, GgufOutType.F32), temporary.resolve("read"));

        try (WeightFolder source = WeightFolder.open(temporary.resolve(name));
                WeightFolder read = WeightFolder.open(temporary.resolve("read"))) {
            assertThat(read.config())
                    .usingRecursiveComparison()
                    .withEqualsForType((a, b) -> Math.abs(a - b) <= Math.ulp((float) (double) a), Double.class)
                    .ignoringFields("bosId", "eosIds", "padId")
                    .isEqualTo(source.config());
        }

        try (ModelTokenizer source = ModelTokenizer.open(temporary.resolve(name));
                ModelTokenizer read = ModelTokenizer.open(temporary.resolve("read"))) {
            String text = "the quick  fox jumps A over <start_of_turn>the<|tool|>dog";
            assertThat(read.encode(text)).isEqualTo(source.encode(text));
        }
    }

    /** Granite 4 is read back as Granite 3, which is the same model with gate and up apart. */
    private static float[] floatsReadBack(WeightFolder read, String weight) {
        if (weight.endsWith("shared_mlp.input_linear.weight")) {
            float[] gate = floats(read, weight.replace("shared_mlp.input_linear", "mlp.gate_proj"));
            float[] up = floats(read, weight.replace("shared_mlp.input_linear", "mlp.up_proj"));
            float[] both = Arrays.copyOf(gate, gate.length + up.length);
            System.arraycopy(up, 0, both, gate.length, up.length);
            return both;
        }

        return floats(read, weight.replace("shared_mlp.output_linear", "mlp.down_proj"));
    }

    private static float[] floats(WeightFolder folder, String weight) {
        FloatSource source = folder.tensor(weight).asFloats();
        float[] values = new float[(int) source.length()];
        source.read(0, values, values.length);
        return values;
    }

    /** Its config lies within that of the whole model, and its weights have other names there. */
    @Test
    void ofAModelThatSeesImagesTheTextModelIsWritten() throws IOException {
        ExportGolden golden = ExportGolden.of("ministral3");
        try (WeightFolder whole = WeightFolder.open(Path.of("src/test/resources/goldens/wrapped/ministral3/base"))) {
            Path written = export(whole, golden.folder(), GgufOutType.F32);

            assertThat(tensors(written)).isEqualTo(expectedTensors(golden, GgufOutType.F32));
            GgufMetadata metadata = GgufFile.open(written).metadata();
            assertThat(metadata.text("general.architecture")).isEqualTo("mistral3");
            assertThat(metadata.number("mistral3.attention.temperature_scale", 0))
                    .isEqualTo(0.7);
            assertThat(metadata.number("mistral3.rope.scaling.yarn_log_multiplier", 0))
                    .isEqualTo(1);
        }
    }

    /** The converter's file has the same score for all pieces, no tokens for the last rows, and cannot be loaded. */
    @Test
    void aTokenizerWithoutScoresGetsThemFromItsMerges() throws IOException {
        ExportGolden golden = ExportGolden.of(WITHOUT_SCORES);

        Path written = export(golden, GgufOutType.F16);

        GgufMetadata metadata = GgufFile.open(written).metadata();
        assertThat(tensors(written)).isEqualTo(expectedTensors(golden, GgufOutType.F16));
        assertThat(otherThan(golden.file("f16").path("metadata"), metadata))
                .containsExactlyInAnyOrder(
                        "tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type");
        List<String> tokens = metadata.texts("tokenizer.ggml.tokens");
        List<Float> scores = metadata.floats("tokenizer.ggml.scores");
        assertThat(tokens).hasSize(320).contains("\u2581the", "[PAD319]");
        assertThat(List.of("th", "the", "\u2581the", "over"))
                .map(piece -> scores.get(tokens.indexOf(piece)))
                .containsExactly(0f, -1f, -2f, -5f);
        assertThat(metadata.numbers("tokenizer.ggml.token_type").subList(0, 5)).containsExactly(3L, 3L, 3L, 6L, 1L);
    }

    /** Keys whose values are other ones. */
    private static List<String> otherThan(JsonNode expected, GgufMetadata found) {
        List<String> keys = new ArrayList<>();
        expected.fields().forEachRemaining(entry -> {
            JsonNode value = entry.getValue().path(1);
            boolean same = entry.getKey().startsWith("GGUF.")
                    || String.valueOf(found.values().get(entry.getKey())).equals(value.asText())
                    || value.isNumber()
                            && ((Number) Objects.requireNonNull(found.values().get(entry.getKey()))).floatValue()
                                    == value.floatValue();
            if (!same) {
                keys.add(entry.getKey());
            }
        });
        return keys;
    }

    private Path export(ExportGolden golden, GgufOutType type) throws IOException {
        Path model = golden.assemble(temporary);
        try (WeightFolder source = WeightFolder.open(model)) {
            return export(source, model, type);
        }
    }

    private Path export(WeightFolder source, Path tokenizer, GgufOutType type) throws IOException {
        String id = source.path().getFileName().toString();
        GgufExport.Labels labels = new GgufExport.Labels(tokenizer, id, Optional.empty(), Optional.empty());
        GgufExport export = GgufExport.of(source, ChangedWeights.NONE, type, labels);
        Path file = temporary.resolve(export.fileName());
        try (Workers workers = new Workers(2);
                OutputStream out = Files.newOutputStream(file)) {
            export.write(out, workers);
        }

        return file;
    }

    private static Map<String, String> expectedTensors(ExportGolden golden, GgufOutType type) {
        Map<String, String> expected = new LinkedHashMap<>();
        golden.file(type.optionName())
                .path("tensors")
                .fields()
                .forEachRemaining(tensor ->
                        expected.put(tensor.getKey(), tensor.getValue().asText()));
        return expected;
    }

    /** Type and beginning of the hash of each. */
    private static Map<String, String> tensors(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Map<String, String> tensors = new LinkedHashMap<>();
        for (GgufTensor tensor : GgufFile.open(file).tensors().values()) {
            int from = (int) tensor.position();
            byte[] stored = Arrays.copyOfRange(bytes, from, from + (int) tensor.byteSize());
            tensors.put(tensor.name(), tensor.type() + " " + Sha256.hex(stored).substring(0, 16));
        }

        return tensors;
    }
}
