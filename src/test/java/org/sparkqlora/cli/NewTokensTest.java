package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoLanguage;
import org.sparkqlora.command.demo.DemoModelJson;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/** Tokens that a model gets with its adapter: trained, stored, and known to every command that takes the adapter. */
class NewTokensTest {
    private static final String[] GROWN = {"--new-tokens", "<|tool|>,<|end_tool|>", "--modules-to-save", "embed_tokens"
    };

    /** The order in which float32 sums are taken differs between a trained and a stored matrix. */
    private static final double TOLERANCE = 1e-5;

    private static final String EMBEDDING = "base_model.model.model.embed_tokens.weight";
    private static final String HEAD = "base_model.model.lm_head.weight";

    @TempDir
    Path folder;

    private TrainRuns runs;
    private long vocabulary;

    @BeforeEach
    void writeInput() throws IOException {
        runs = TrainRuns.in(folder);
        Files.write(
                runs.data(),
                DemoLanguage.pirate().stream()
                        .map(DemoModelJson::messages)
                        .map(line -> line.replace("What does", "<|tool|> What <|end_tool|> does"))
                        .toList());
        try (WeightFolder model = WeightFolder.open(folder.resolve("model"))) {
            vocabulary = model.config().vocabularySize();
        }
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void theAdapterHoldsTheGrownMatrixAndTheTokenizer() throws IOException {
        train("run", GROWN);

        SafetensorsFile adapter = SafetensorsFile.open(adapter("run").resolve("adapter_model.safetensors"));
        assertThat(adapter.tensor(EMBEDDING).shape()).containsExactly(vocabulary + 2, 128);
        assertThat(adapter.tensor(HEAD).shape()).containsExactly(vocabulary + 2, 128);
        assertThat(files(adapter("run")))
                .contains("adapter_config.json", "tokenizer.json", "tokenizer_config.json")
                .doesNotContain("config.json", "generation_config.json");
        try (ModelTokenizer tokenizer = ModelTokenizer.open(adapter("run"))) {
            int[] ids = tokenizer.encodeWithoutSpecials("<|tool|> cat <|end_tool|>");
            assertThat(ids).startsWith((int) vocabulary).endsWith((int) vocabulary + 1);
            assertThat(tokenizer.isSpecial(ids[0])).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "qlora"})
    void theAdapterIsEvaluatedAskedAndMergedWithItsTokens(String method) throws IOException {
        train("run", grownBy(method));
        Path merged = folder.resolve("merged");
        String base = method.equals("lora") ? "original" : "quantized";
        run(List.of(
                "merge",
                "--model",
                model(),
                "--adapter",
                adapter("run").toString(),
                "--base",
                base,
                "--output",
                merged.toString()));

        double beside = loss(model(), method, "--adapter", adapter("run").toString());
        assertThat(loss(merged.toString(), "lora")).isCloseTo(beside, within(TOLERANCE));
        assertThat(answer(merged.toString(), "lora"))
                .isEqualTo(answer(model(), method, "--adapter", adapter("run").toString()));
        try (WeightFolder written = WeightFolder.open(merged);
                ModelTokenizer tokenizer = ModelTokenizer.open(merged)) {
            written.checkShapes();
            assertThat(written.config().vocabularySize()).isEqualTo((int) vocabulary + 2);
            assertThat(written.config().tiedEmbeddings()).isTrue();
            assertThat(tokenizer.vocabularySize()).isEqualTo((int) vocabulary + 2);
        }
    }

    @Test
    void twoMatricesOfATiedModelGrowEachForItself() throws IOException {
        train(
                "run",
                "--new-tokens",
                "<|tool|>",
                "--modules-to-save",
                "embed_tokens,lm_head",
                "--no-weight-tying",
                "--resize-token-embeddings",
                "256");
        Path merged = folder.resolve("merged");
        run(List.of(
                "merge", "--model", model(), "--adapter", adapter("run").toString(), "--output", merged.toString()));

        assertThat(loss(merged.toString(), "lora"))
                .isCloseTo(loss(model(), "lora", "--adapter", adapter("run").toString()), within(TOLERANCE));
        try (WeightFolder written = WeightFolder.open(merged)) {
            written.checkShapes();
            assertThat(written.config().vocabularySize()).isEqualTo(256);
            assertThat(written.config().tiedEmbeddings()).isFalse();
            assertThat(written.shapeOf("lm_head.weight")).containsExactly(256, 128);
        }
    }

    @Test
    void trainingGoesOnFromTheAdapterWithItsTokens() throws IOException {
        train("first", GROWN);
        train("second", "--init-adapter", adapter("first").toString());

        assertThat(adapter("second").resolve("tokenizer.json"))
                .hasSameTextualContentAs(adapter("first").resolve("tokenizer.json"));
        assertThat(SafetensorsFile.open(adapter("second").resolve("adapter_model.safetensors"))
                        .tensor(EMBEDDING)
                        .shape())
                .containsExactly(vocabulary + 2, 128);
    }

    @Test
    void aResumedRunGivesTheSameBytes() throws IOException {
        train("whole", GROWN);
        train("cut", GROWN);
        StoredRun whole = StoredRun.read(folder.resolve("whole").toString());
        forgetFrom("cut", 4);
        train("cut", GROWN);

        StoredRun.read(folder.resolve("cut").toString()).assertEquals(whole);
        assertThat(adapter("cut").resolve("tokenizer.json"))
                .hasSameTextualContentAs(adapter("whole").resolve("tokenizer.json"));
    }

    @Test
    void otherTokensAreAnotherPlan() {
        train("run", GROWN);
        CommandRun other = runs.train(
                folder.resolve("run").toString(),
                "--max-steps",
                "4",
                "--new-tokens",
                "<|tool|>",
                "--modules-to-save",
                "embed_tokens");

        assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err()).contains("where another plan was begun");
    }

    @Test
    void rowsPreparedWithTheTokensAreTakenAsData() {
        Path rows = folder.resolve("rows");
        run(List.of(
                "prepare",
                "--model",
                model(),
                "--data",
                runs.data().toString(),
                "--output",
                rows.toString(),
                "--sequence-length",
                "64",
                "--new-tokens",
                "<|tool|>,<|end_tool|>"));
        runs = runs.withData(rows.toString());

        train("run", GROWN);

        assertThat(adapter("run").resolve("tokenizer.json")).exists();
    }

    @Test
    void tokensAreReadFromAFile() throws IOException {
        Path file = folder.resolve("tokens.txt");
        Files.writeString(file, "<|tool|>\n\n<a,b>\n");
        train("run", "--new-tokens-file", file.toString(), "--modules-to-save", "lm_head");

        try (ModelTokenizer tokenizer = ModelTokenizer.open(adapter("run"))) {
            assertThat(tokenizer.encodeWithoutSpecials("<a,b>")).containsExactly((int) vocabulary + 1);
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "--new-tokens <|tool|> ; --new-tokens, --resize-token-embeddings: expected --modules-to-save embed_tokens,lm_head with them, found none",
                "--resize-token-embeddings 300 ; expected --modules-to-save embed_tokens,lm_head with them, found none",
                "--new-tokens <|im_end|>,<x> --modules-to-save lm_head ; expected tokens that it has not, found [<|im_end|> (id 3)]",
                "--new-tokens <x>,<x> --modules-to-save lm_head ; --new-tokens: expected different tokens, found <x> twice",
                "--new-tokens ,<x> --modules-to-save lm_head ; --new-tokens: expected tokens, found an empty text",
                "--new-tokens <x> --modules-to-save lm_head --method full ; --new-tokens, --resize-token-embeddings: expected --method qlora or lora with them, found full",
                "--new-tokens <x> --modules-to-save embed_tokens --no-weight-tying ; expected modules to save embed_tokens,lm_head, found [embed_tokens]",
                "--resize-token-embeddings 7 --modules-to-save lm_head ; --resize-token-embeddings: expected at least",
                "--new-tokens-file nowhere.txt --modules-to-save lm_head ; --new-tokens-file: Cannot open file nowhere.txt: expected a file, found nothing",
            })
    void whatCannotBeIsRefusedBeforeWorkBegins(String options, String message) {
        String output = folder.resolve("none").toString();
        CommandRun run = runs.train(output, options.split(" "));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(message.strip());
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void anAdapterHasItsOwnTokens() {
        train("run", GROWN);
        CommandRun run = runs.train(
                folder.resolve("none").toString(),
                "--init-adapter",
                adapter("run").toString(),
                "--new-tokens",
                "<x>");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected none of them beside --init-adapter");
    }

    private static String[] grownBy(String method) {
        return Stream.concat(Stream.of(GROWN), Stream.of("--method", method)).toArray(String[]::new);
    }

    private void train(String name, String... options) {
        List<String> line = new ArrayList<>(runs.command(folder.resolve(name).toString(), options));
        line.addAll(List.of("--max-steps", "4", "--checkpoint-every", "2", "--learning-rate", "1e-2"));
        run(line);
    }

    private static CommandRun run(List<String> line) {
        CommandRun run = CommandRun.of(line.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return run;
    }

    private double loss(String model, String method, String... more) throws IOException {
        List<String> line =
                new ArrayList<>(List.of("evaluate", "--data", runs.data().toString(), "--sequence-length", "64"));
        return summary(line, model, method, more).path("loss").asDouble();
    }

    private String answer(String model, String method, String... more) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                "generate", "--prompt", "<|tool|> What <|end_tool|> does the owl say?", "--max-new-tokens", "8"));
        return summary(line, model, method, more).path("text").asText();
    }

    private JsonNode summary(List<String> line, String model, String method, String... more) throws IOException {
        line.addAll(List.of("--model", model, "--method", method, "--precision", "fp32"));
        line.addAll(List.of("--model-cache", folder.resolve("cache").toString()));
        line.addAll(List.of(more));
        return new ObjectMapper().readTree(run(line).summary());
    }

    /** As if the run had died before its checkpoint of step {@code step}. */
    private void forgetFrom(String name, int step) throws IOException {
        Folders.delete(adapter(name));
        try (Stream<Path> files = Files.list(folder.resolve(name).resolve("checkpoints"))) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("step-" + step))
                    .toList()) {
                Folders.delete(file);
            }
        }
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private Path adapter(String name) {
        return folder.resolve(name).resolve("adapter");
    }

    private String model() {
        return folder.resolve("model").toString();
    }
}
