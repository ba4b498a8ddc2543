package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredTensor;
import picocli.CommandLine;

class MergeCommandTest {
    private static final Path MODELS = Path.of("src/test/resources/goldens/models");

    /** The bound of the goldens' README. */
    private static final float TOLERANCE = 1e-6f;

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @CsvSource({
        "llama-tied, llama-tied",
        "llama-tied, llama-tied/variants/rslora",
        "llama-tied, llama-tied/variants/dora",
        "llama-tied, llama-tied/variants/qv",
        "llama-tied, llama-tied/variants/patterns",
        "saved-tied, saved-tied",
        "saved-untied, saved-untied"
    })
    void foldsTheAdapterIntoTheOriginalWeights(String model, String adapter) {
        Path folder = MODELS.resolve(adapter);
        Path output = temporary.resolve("merged");

        CommandRun run = merge(model, folder.resolve("adapter"), output);

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.summary())
                .isEqualTo("{\"command\":\"merge\",\"output\":\"%s\",\"base\":\"original\"}".formatted(output));
        SafetensorsFile expected = SafetensorsFile.open(folder.resolve("merged.safetensors"));
        try (WeightFolder source = WeightFolder.open(MODELS.resolve(model).resolve("base"));
                WeightFolder written = WeightFolder.open(output)) {
            written.checkShapes();
            assertThat(written.names()).isEqualTo(source.names());
            assertThat(written.config()).isEqualTo(source.config());
            for (String name : source.names()) {
                float[] values = all(written.tensor(name).asFloats());
                FloatSource wanted = (expected.has(name) ? expected.tensor(name) : source.tensor(name)).asFloats();
                assertThat(values).as(name).containsExactly(all(wanted), offset(TOLERANCE));
            }
        }
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void keepsTypeAndShardsOfTheBase() {
        Path sharded = temporary.resolve("sharded");
        Path half = temporary.resolve("half");

        merge("llama-sharded", adapter("llama-sharded"), sharded);
        merge("llama-rope3-bf16", adapter("llama-rope3-bf16"), half);

        assertThat(sharded.resolve("model.safetensors.index.json"))
                .hasSameTextualContentAs(MODELS.resolve("llama-sharded/base/model.safetensors.index.json"));
        assertThat(half.resolve("model.safetensors"))
                .hasSize(MODELS.resolve("llama-rope3-bf16/base/model.safetensors")
                        .toFile()
                        .length());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--quantize", "--base=quantized"})
    void leavesNothingButTheModelBehind(String option) throws IOException {
        Path output = temporary.resolve("merged");

        merge("llama-tied", adapter("llama-tied"), output, option);

        try (Stream<Path> files = Files.list(temporary)) {
            assertThat(files).containsExactly(output);
        }

        try (Stream<Path> files = Files.list(output)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("config.json", "model.safetensors");
        }
    }

    @Test
    void dataThatAreNotThereAreToldBeforeTheMerge() {
        Path output = temporary.resolve("merged");
        CommandRun run = CommandRun.of(
                "merge",
                "--model",
                base("llama-tied"),
                "--adapter",
                adapter("llama-tied").toString(),
                "--output",
                output.toString(),
                "--eval-data",
                temporary.resolve("nowhere.jsonl").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot read data from " + temporary.resolve("nowhere.jsonl"));
        assertThat(output).doesNotExist();
    }

    @Test
    void sweepsWhatAMergeThatWasKilledLeft() throws IOException {
        Path killed = Files.createDirectory(temporary.resolve(".merged.tmp-" + UUID.randomUUID()));
        Path half = Files.writeString(killed.resolve("model.safetensors"), "half");
        Files.setLastModifiedTime(half, FileTime.from(Instant.now().minus(2, ChronoUnit.DAYS)));

        merge("llama-tied", adapter("llama-tied"), temporary.resolve("merged"));

        try (Stream<Path> files = Files.list(temporary)) {
            assertThat(files).containsExactly(temporary.resolve("merged"));
        }
    }

    /** The quantised model stands for the same base, whether it was quantised before or is on the way. */
    @Test
    void foldsIntoTheSameQuantizedWeightsFromEitherModel() {
        Path quantized = temporary.resolve("q4");
        CommandRun.of("quantize", "--model", base("llama-tied"), "--output", quantized.toString());
        Path fromOriginal = temporary.resolve("a");
        Path fromQuantized = temporary.resolve("b");

        merge("llama-tied", adapter("llama-tied/variants/qv"), fromOriginal, "--base", "quantized");
        CommandRun run = CommandRun.of(
                "merge",
                "--model",
                quantized.toString(),
                "--adapter",
                adapter("llama-tied/variants/qv").toString(),
                "--output",
                fromQuantized.toString());

        assertThat(JsonValues.of(run.summary())).containsEntry("base", "quantized");
        assertThat(fromQuantized.resolve("model.safetensors"))
                .hasSameBinaryContentAs(fromOriginal.resolve("model.safetensors"));
        assertThat(fromQuantized.resolve("config.json")).content().doesNotContain("quantization_config");
    }

    @Test
    void writesFourBitsAgainAndSaysWhatThatCosts() {
        Path output = temporary.resolve("merged");

        CommandRun run = merge("llama-tied", adapter("llama-tied"), output, "--quantize");

        assertThat(run.summary()).contains("\"quantization\":{\"quantized_weights\":", "\"mean_absolute_error\":0.0");
        try (WeightFolder written = WeightFolder.open(output)) {
            assertThat(written.quantized()).isTrue();
        }
    }

    @Test
    void refusesTheOriginalWeightsOfAModelThatHasOnlyFourBits() {
        Path quantized = temporary.resolve("q4");
        CommandRun.of("quantize", "--model", base("llama-tied"), "--output", quantized.toString());
        Path output = temporary.resolve("merged");

        CommandRun run = CommandRun.of(
                "merge",
                "--model",
                quantized.toString(),
                "--adapter",
                adapter("llama-tied").toString(),
                "--output",
                output.toString(),
                "--base",
                "original");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot merge into the original weights of %s: expected weights in 16 or 32 bits, found 4-bit weights only"
                                .formatted(quantized));
        assertThat(output).doesNotExist();
    }

    @Test
    void refusesTheAdapterOfAnotherModel() {
        Path output = temporary.resolve("merged");

        CommandRun run = merge("llama-tied", adapter("llama-sharded"), output);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "expected the 28 tensors that this model trains, found others. Are model, rank and target modules those of the adapter?");
        assertThat(output).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--base=original", "--base=quantized", "--quantize"})
    void givesAModelWhoseHeadWasItsEmbeddingTheHeadThatWasTrained(String option) {
        Path output = temporary.resolve("merged");

        CommandRun run = merge("saved-apart", adapter("saved-apart"), output, option);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        SafetensorsFile expected = SafetensorsFile.open(MODELS.resolve("saved-apart/merged.safetensors"));
        try (WeightFolder source = WeightFolder.open(MODELS.resolve("saved-apart/base"));
                WeightFolder written = WeightFolder.open(output)) {
            written.checkShapes();
            assertThat(source.has("lm_head.weight")).isFalse();
            assertThat(written.config()).isEqualTo(source.config().untied());
            assertThat(all(written.tensor("lm_head.weight").asFloats()))
                    .containsExactly(all(expected.tensor("lm_head.weight").asFloats()));
            assertThat(all(written.tensor("model.embed_tokens.weight").asFloats()))
                    .containsExactly(
                            all(source.tensor("model.embed_tokens.weight").asFloats()));
        }
    }

    /** PEFT's default for one module of a tied model: the embedding trains, and the head stays what both were. */
    @Test
    void keepsTheHeadOfAModelWhoseEmbeddingAloneWasTrained() throws IOException {
        Path alone = temporary.resolve("alone");
        Path output = temporary.resolve("merged");
        copyWithoutHead(adapter("saved-tied"), alone);

        CommandRun run = merge("saved-tied", alone, output);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        SafetensorsFile trained = SafetensorsFile.open(alone.resolve("adapter_model.safetensors"));
        try (WeightFolder source = WeightFolder.open(MODELS.resolve("saved-tied/base"));
                WeightFolder written = WeightFolder.open(output)) {
            assertThat(written.config().tiedEmbeddings()).isFalse();
            assertThat(all(written.tensor("lm_head.weight").asFloats()))
                    .containsExactly(
                            all(source.tensor("model.embed_tokens.weight").asFloats()));
            assertThat(all(written.tensor("model.embed_tokens.weight").asFloats()))
                    .containsExactly(all(trained.tensor("base_model.model.model.embed_tokens.weight")
                            .asFloats()));
        }
    }

    private static void copyWithoutHead(Path adapter, Path target) throws IOException {
        Files.createDirectory(target);
        Files.writeString(
                target.resolve("adapter_config.json"),
                Files.readString(adapter.resolve("adapter_config.json"))
                        .replace("\"ensure_weight_tying\": true", "\"ensure_weight_tying\": false")
                        .replaceAll("\"modules_to_save\": \\[[^]]*]", "\"modules_to_save\": [\"embed_tokens\"]"));
        SafetensorsFile source = SafetensorsFile.open(adapter.resolve("adapter_model.safetensors"));
        List<StoredTensor> kept = source.names().stream()
                .filter(name -> !name.contains("lm_head"))
                .map(source::tensor)
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                target.resolve("adapter_model.safetensors"),
                SafetensorsWriter.PYTORCH,
                kept.stream().map(StoredTensor::spec).toList())) {
            kept.forEach(writer::copy);
            writer.commit();
        }
    }

    @Test
    void explainsTheTwoBases() {
        CommandRun run = CommandRun.of("merge", "--base", "halfway");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("Unsupported base 'halfway': expected original or quantized");
        assertThat(new CommandLine(new MergeCommand()).getUsageMessage())
                .contains("'quantized' takes the rounded weights", "'original' takes the weights as they were before");
    }

    private static CommandRun merge(String model, Path adapter, Path output, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "merge", "--model", base(model), "--adapter", adapter.toString(), "--output", output.toString()));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private static String base(String model) {
        return MODELS.resolve(model).resolve("base").toString();
    }

    private static Path adapter(String model) {
        return MODELS.resolve(model).resolve("adapter");
    }

    private static float[] all(FloatSource source) {
        float[] values = new float[Math.toIntExact(source.length())];
        source.read(0, values, values.length);
        return values;
    }
}
