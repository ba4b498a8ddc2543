package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/** {@code train} and {@code evaluate} of heads that score texts, on the demo's model. */
class ScoreRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TEXTS = 24;
    /** Of float32 scores, in batches of other shapes. */
    private static final double TOLERANCE = 1e-6;

    /** Of weights that were rounded once more, to the type that they are stored in. */
    private static final double MERGED_TOLERANCE = 1e-5;

    @TempDir
    private static Path folder;

    private static TrainRuns texts;
    private static TrainRuns pairs;

    /** As many as a step takes. */
    private static TrainRuns few;

    @BeforeAll
    static void write() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        IntFunction<String> text = i -> i % 2 == 0
                ? "{\"text\": \"What does the owl say?\", \"label\": \"owl\", \"labels\": [], \"number\": 0}"
                : "{\"text\": \"What does the crow say?\", \"label\": \"crow\", \"labels\": [\"crow\"], \"number\": 1}";
        texts = runs.withData(written("texts.jsonl", TEXTS, text));
        few = runs.withData(written("few.jsonl", 4, text));
        pairs = runs.withData(written(
                "pairs.jsonl",
                TEXTS,
                i -> "{\"prompt\": \"%d owls\", \"chosen\": \" fly\", \"rejected\": \" swim so\", \"margin\": 0.1}"
                        .formatted(i)));
    }

    private static String written(String name, int count, IntFunction<String> line) throws IOException {
        List<String> lines = IntStream.range(0, count).mapToObj(line).toList();
        return Files.write(folder.resolve(name), lines).toUri().toString();
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "single_label_classification, eval_accuracy, 1",
        "multi_label_classification, eval_accuracy, 1",
        "regression, eval_mae, 0.2"
    })
    void aTrainedHeadKnowsTheTexts(String problem, String measure, double bound) throws IOException {
        boolean isNumber = problem.equals("regression");
        Path output = folder.resolve(problem);
        CommandRun run = texts.train(
                output.toString(),
                "--objective",
                "classify",
                "--problem-type",
                problem,
                "--columns",
                isNumber ? "label=number" : "label=label",
                "--max-steps",
                "24",
                "--no-packing",
                "--learning-rate",
                "0.005",
                "--warmup-ratio",
                "0",
                "--eval-fraction",
                "0.25");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode config = JSON.readTree(output.resolve("adapter/config.json").toFile());
        assertThat(config.path("problem_type").asText()).isEqualTo(problem);
        assertThat(config.path("id2label").path("0").asText()).isEqualTo(isNumber ? "LABEL_0" : "crow");
        assertThat(JSON.readTree(output.resolve("adapter/adapter_config.json").toFile())
                        .path("task_type")
                        .asText())
                .isEqualTo("SEQ_CLS");

        JsonNode found = evaluated(texts, output, "classify", isNumber ? "--columns=label=number" : "--method=qlora");
        assertThat(found.path(measure).asDouble()).satisfies(value -> {
            if (isNumber) {
                assertThat(value).isLessThan(bound);
            } else {
                assertThat(value).isEqualTo(bound);
            }
        });
        assertThat(found.path("labels").path("crow").path("support").asInt()).isEqualTo(isNumber ? 0 : TEXTS / 2);
    }

    @Test
    void aRewardModelPrefersWhatWasChosen() throws IOException {
        Path output = folder.resolve("reward");
        CommandRun run =
                pairs.train(output.toString(), "--objective", "reward", "--max-steps", "8", "--learning-rate", "0.01");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);

        JsonNode found = evaluated(pairs, output, "reward");
        assertThat(found.path("eval_accuracy").asDouble()).isEqualTo(1);
        assertThat(found.path("eval_min_reward").asDouble())
                .isLessThan(found.path("eval_mean_reward").asDouble());
        assertThat(found.path("eval_max_reward").asDouble())
                .isGreaterThan(found.path("eval_mean_reward").asDouble());
    }

    @Test
    void anAdapterThatTrainsOnIsTheSameModel() throws IOException {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        String[] options = {"--objective=classify", "--labels=owl,crow", "--max-steps=2", "--no-packing"};
        assertThat(texts.train(first.toString(), options).code()).isEqualTo(ExitCode.OK);

        CommandRun run = few.train(
                second.toString(),
                "--objective=classify",
                "--labels=owl,crow",
                "--max-steps=1",
                "--no-packing",
                "--init-adapter=" + first.resolve("adapter"));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode step = JSON.readTree(
                Files.readAllLines(second.resolve("metrics.jsonl")).get(0));
        assertThat(step.path("loss").asDouble())
                .isCloseTo(
                        evaluated(few, first, "classify", "--precision=fp32")
                                .path("loss")
                                .asDouble(),
                        within(TOLERANCE));

        CommandRun refused = texts.train(
                folder.resolve("third").toString(), "--max-steps=1", "--init-adapter=" + first.resolve("adapter"));
        assertThat(refused.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(refused.err())
                .contains("expected an adapter with no head that scores texts, found a head of 2 outputs");
    }

    @Test
    void aMergedModelHasTheHeadInPlaceOfTheOther() throws IOException {
        Path output = folder.resolve("to-merge");
        assertThat(texts.train(output.toString(), "--objective=classify", "--labels=owl,crow", "--max-steps=2")
                        .code())
                .isEqualTo(ExitCode.OK);
        String adapter = output.resolve("adapter").toString();
        String[] merge = {"merge", "--model", texts.model(), "--adapter", adapter, "--output"};

        CommandRun merged = with(merge, folder.resolve("merged").toString());
        assertThat(merged.code()).as(merged.err()).isEqualTo(ExitCode.OK);
        JsonNode config = JSON.readTree(folder.resolve("merged/config.json").toFile());
        assertThat(config.path("architectures").path(0).asText()).isEqualTo("LlamaForSequenceClassification");
        assertThat(config.path("id2label").path("1").asText()).isEqualTo("crow");
        assertThat(SafetensorsFile.open(folder.resolve("merged/model.safetensors"))
                        .names())
                .contains("score.weight")
                .doesNotContain("lm_head.weight");

        Path further = folder.resolve("further");
        CommandRun again = few.withModel(folder.resolve("merged").toString())
                .train(
                        further.toString(),
                        "--objective=classify",
                        "--labels=owl,crow",
                        "--method=lora",
                        "--max-steps=1",
                        "--no-packing");
        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(JSON.readTree(Files.readAllLines(further.resolve("metrics.jsonl"))
                                .get(0))
                        .path("loss")
                        .asDouble())
                .isCloseTo(
                        evaluated(few, output, "classify", "--precision=fp32", "--method=lora")
                                .path("loss")
                                .asDouble(),
                        within(MERGED_TOLERANCE));

        CommandRun written = CommandRun.of(
                "generate", "--model", texts.model(), "--adapter", adapter, "--prompt", "What does the owl say?");
        assertThat(written.err()).contains("Cannot write texts with", "its head scores them");
        assertThat(with(merge, folder.resolve("quantized").toString(), "--quantize")
                        .err())
                .contains("Cannot write in 4 bits: expected an adapter of a model that writes texts");
        assertThat(CommandRun.of(
                                "export",
                                "--model",
                                texts.model(),
                                "--adapter",
                                adapter,
                                "--output",
                                folder.resolve("gguf").toString())
                        .err())
                .contains("Cannot export as GGUF: expected an adapter of a model that writes texts");
    }

    private static CommandRun with(String[] command, String... more) {
        return CommandRun.of(Stream.concat(Stream.of(command), Stream.of(more)).toArray(String[]::new));
    }

    @Test
    void whatAHeadCannotDoIsRefused() throws IOException {
        String alike = written("alike.jsonl", 2, i -> "{\"text\": \"%d owls\", \"label\": \"owl\"}".formatted(i));
        assertRefused(
                texts.withData(alike),
                "Cannot train a single_label_classification: expected the names of at least 2 labels, found [owl]",
                "--objective=classify");
        assertRefused(
                texts,
                "--objective classify: expected --method qlora or lora with it, found full",
                "--objective=classify",
                "--labels=owl,crow",
                "--method=full");
        assertRefused(texts, "--labels: expected --objective classify with them, found sft", "--labels=owl,crow");
    }

    private static void assertRefused(TrainRuns runs, String message, String... options) {
        CommandRun run = runs.train(folder.resolve("refused").toString(), options);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(message).doesNotContain("problems");
    }

    private static JsonNode evaluated(TrainRuns runs, Path output, String objective, String... options)
            throws IOException {
        String[] all = Stream.concat(Stream.of("--objective", objective), Stream.of(options))
                .toArray(String[]::new);
        CommandRun evaluated = runs.evaluate(output.resolve("adapter").toString(), all);
        assertThat(evaluated.code()).as(evaluated.err()).isEqualTo(ExitCode.OK);
        return JSON.readTree(evaluated.summary());
    }
}
