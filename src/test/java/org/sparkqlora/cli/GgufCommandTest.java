package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The files and their losses are of {@code src/test/python/make_gguf_model_goldens.py}: the gguf package and transformers. */
class GgufCommandTest {
    /** Sums in float32 in another order. */
    private static final double TOLERANCE = 1e-5;

    @TempDir
    Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    static Stream<String> goldens() throws Exception {
        try (Stream<Path> files = Files.list(golden("llama3.gguf").getParent())) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".gguf"))
                    .map(name -> name.substring(0, name.length() - ".gguf".length()))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void aFileHasTheLossOfTransformersAndOfItsFolder(String name) throws Exception {
        JsonNode expected = new ObjectMapper().readTree(golden(name + ".json").toFile());
        Path data = rows(expected);

        JsonNode found = evaluated(golden(name + ".gguf"), data);
        JsonNode ofFolder = evaluated(converted(), data);

        double tokens = expected.get("n_tokens").asDouble();
        assertThat(found.get("tokens").asDouble()).isEqualTo(tokens);
        assertThat(found.get("loss").asDouble())
                .isCloseTo(expected.get("loss_sum").asDouble() / tokens, offset(TOLERANCE));
        assertThat(ofFolder.get("loss")).isEqualTo(found.get("loss"));
    }

    @Test
    void aFileCanBeTrainedOn() throws Exception {
        Path output = folder.resolve("output");
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"prompt\": \"ab\", \"completion\": \"cd\"}\n");

        CommandRun run = run(
                "train",
                "--output",
                output.toString(),
                "--max-steps",
                "1",
                "--data",
                data.toString(),
                "--sequence-length",
                "16",
                "--model",
                golden("llama3.gguf").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(output.resolve("adapter/adapter_model.safetensors")).isNotEmptyFile();
        assertThat(Files.readString(output.resolve("metrics.jsonl"))).contains("\"step\":1,");
    }

    @Test
    void inspectSaysWhatAFileHolds() throws Exception {
        CommandRun run = CommandRun.of("inspect", golden("gemma3.gguf").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary())
                .startsWith("{\"kind\":\"GGUF file\",")
                .contains(
                        "\"model_type\":\"gemma3_text\",\"parameters\":24416,\"layers\":2,",
                        "\"tensors_by_type\":{\"BF16\":8,\"F16\":1,\"F32\":13,\"Q8_0\":6}",
                        "\"tokenizer\":\"llama\",\"tokens\":128,\"chat_template\":true");
    }

    @Test
    void inspectRendersRowsByTheTokenizerOfAFile() throws Exception {
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"prompt\": \"ab\", \"completion\": \"cd\"}\n");

        CommandRun run = CommandRun.of(
                "inspect",
                data.toString(),
                "--render",
                "--model",
                golden("llama3.gguf").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary()).contains("\"ids\":[1,3,68,69,70,71,2]");
    }

    @Test
    void aFileCutShortIsBadInputAndLeavesNothing() throws Exception {
        byte[] whole = Files.readAllBytes(golden("llama3.gguf"));
        Path cut = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(whole, whole.length - 100));
        Path output = folder.resolve("output");

        CommandRun run = run(
                "train",
                "--output",
                output.toString(),
                "--data",
                rows(expected()).toString(),
                "--format",
                "tokens",
                "--model",
                cut.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot read tensor ", cut.toString(), "expected ", "found ", "Is the download complete?");
        assertThat(run.err().lines().filter(line -> line.contains("Cannot read")))
                .hasSize(1);
        assertThat(output).doesNotExist();
        try (Stream<Path> left = Files.list(folder.resolve("cache"))) {
            assertThat(left.filter(Files::isDirectory)).isEmpty();
        }
    }

    private static JsonNode expected() throws Exception {
        return new ObjectMapper().readTree(golden("llama3.json").toFile());
    }

    private Path rows(JsonNode expected) throws IOException {
        List<String> lines = new ArrayList<>();
        expected.get("rows").forEach(row -> lines.add(row.toString()));
        return Files.write(folder.resolve("rows.jsonl"), lines);
    }

    private JsonNode evaluated(Path model, Path data) throws IOException {
        CommandRun run = run(
                "evaluate",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--format",
                "tokens",
                "--no-packing",
                "--sequence-length",
                "64",
                "--method",
                "lora",
                "--precision",
                "fp32");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return new ObjectMapper().readTree(run.summary());
    }

    private CommandRun run(String... line) {
        List<String> whole = new ArrayList<>(List.of(line));
        whole.addAll(List.of("--model-cache", folder.resolve("cache").toString()));
        return CommandRun.of(whole.toArray(String[]::new));
    }

    /** The one folder in the cache. */
    private Path converted() throws IOException {
        try (Stream<Path> cached = Files.list(folder.resolve("cache"))) {
            List<Path> folders = cached.filter(Files::isDirectory).toList();
            assertThat(folders).hasSize(1);
            return folders.get(0);
        }
    }

    private static Path golden(String name) throws URISyntaxException {
        return Path.of(Objects.requireNonNull(GgufCommandTest.class.getResource("/goldens/gguf/models/" + name))
                .toURI());
    }
}
