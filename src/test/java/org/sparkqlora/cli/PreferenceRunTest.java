package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
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

/** {@code prepare}, {@code train} and {@code evaluate} of preferences on the demo's model. */
class PreferenceRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PAIRS = 24;
    private static final String ADAPTER = "adapter/adapter_model.safetensors";

    /** Of float32 log-probabilities, the same twice but for the product of adapters. */
    private static final double FIRST_STEP_TOLERANCE = 1e-6;

    @TempDir
    private static Path folder;

    private static TrainRuns pairs;
    private static TrainRuns thumbs;

    @BeforeAll
    static void write() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        pairs = runs.withData(
                written("pairs.jsonl", "{\"prompt\": \"%d owls\", \"chosen\": \" fly\", \"rejected\": \" swim so\"}"));
        thumbs = runs.withData(
                written("thumbs.jsonl", "{\"prompt\": \"%d owls\", \"completion\": \" fly\", \"label\": %2$b}"));
    }

    private static String written(String name, String line) throws IOException {
        List<String> lines = IntStream.range(0, PAIRS)
                .mapToObj(i -> String.format(Locale.ROOT, line, i, i % 2 == 0))
                .toList();
        return Files.write(folder.resolve(name), lines).toUri().toString();
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    /** The reference is the base as it was, also where adapters were taken out of it and where whole modules train. */
    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "sigmoid, default, 0.693147181",
        "sigmoid, pissa, 0.693147181",
        "sigmoid, olora, 0.693147181",
        "ipo, pissa, 25",
        "nca_pair, olora, 1.386294361",
        "hinge, --use-dora, 1",
        "sppo_hard, --modules-to-save=lm_head, 50",
        "apo_zero, default, 1"
    })
    void firstStepsHaveTheLossOfEqualModels(String loss, String how, double expected) throws IOException {
        Path output = folder.resolve("first-" + loss + how);

        JsonNode first = steps(
                        pairs,
                        output,
                        "--objective",
                        "dpo",
                        "--dpo-loss",
                        loss,
                        "--method",
                        "lora",
                        "--max-steps",
                        "1",
                        how.startsWith("--") ? how : "--init-lora-weights=" + how)
                .get(0);

        assertThat(first.path("loss").asDouble()).isCloseTo(expected, within(FIRST_STEP_TOLERANCE * expected));
        assertThat(first.path("rewards/margins").asDouble()).isCloseTo(0, within(FIRST_STEP_TOLERANCE));
    }

    @Test
    void thumbsBeginAtOneHalf() throws IOException {
        JsonNode first = steps(thumbs, folder.resolve("thumbs"), "--objective", "kto", "--max-steps", "1")
                .get(0);

        assertThat(first.path("loss").asDouble()).isCloseTo(0.5, within(FIRST_STEP_TOLERANCE));
        assertThat(first.path("kl").asDouble()).isCloseTo(0, within(FIRST_STEP_TOLERANCE));
    }

    @Test
    void trainingPrefersWhatWasChosenAndEvaluationsSaySo() throws IOException {
        Path output = folder.resolve("trained");
        List<JsonNode> steps = steps(
                pairs,
                output,
                "--objective",
                "dpo",
                "--max-steps",
                "8",
                "--learning-rate",
                "0.02",
                "--warmup-ratio",
                "0",
                "--eval-fraction",
                "0.25",
                "--eval-every",
                "8");

        JsonNode last = steps.get(steps.size() - 1);
        assertThat(last.path("rewards/accuracies").asDouble()).isEqualTo(1);
        assertThat(last.path("eval_rewards/accuracies").asDouble()).isEqualTo(1);
        assertThat(last.path("eval_rewards/margins").asDouble()).isPositive();
        assertThat(output.resolve("report.html")).content().contains("<figcaption>rewards/margins");

        CommandRun evaluated =
                pairs.evaluate(output.resolve("adapter").toString(), "--objective", "dpo", "--precision", "fp32");
        assertThat(evaluated.code()).as(evaluated.err()).isEqualTo(ExitCode.OK);
        JsonNode summary = JSON.readTree(evaluated.summary());
        assertThat(summary.path("eval_rewards/accuracies").asDouble()).isEqualTo(1);
        assertThat(summary.path("loss").asDouble()).isLessThan(Math.log(2));
        assertThat(summary.has("perplexity")).isFalse();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"dpo, --ld-alpha=0.5", "kto, --beta=0.3"})
    void logProbabilitiesOfTheReferenceMadeBeforeChangeNoByte(String objective, String option) throws IOException {
        TrainRuns runs = objective.equals("kto") ? thumbs : pairs;
        String[] options = {
            "--objective",
            objective,
            option,
            "--max-steps",
            "3",
            "--micro-batch-size",
            "2",
            "--no-packing",
            "--eval-fraction",
            "0.25",
            "--learning-rate",
            "0.01",
            "--init-lora-weights",
            "pissa"
        };
        Path live = folder.resolve(objective + "-live");
        Path before = folder.resolve(objective + "-before");

        List<JsonNode> expected = steps(runs, live, options);
        List<JsonNode> found = steps(
                runs,
                before,
                Stream.concat(Stream.of(options), Stream.of("--precompute-ref-log-probs"))
                        .toArray(String[]::new));

        assertThat(before.resolve("prepared-reference/manifest.json")).content().contains("\"reference\"");
        assertThat(before.resolve(ADAPTER)).hasSameBinaryContentAs(live.resolve(ADAPTER));
        assertThat(before.resolve("plan.json")).hasSameTextualContentAs(live.resolve("plan.json"));
        JsonNode last = found.get(found.size() - 1);
        assertThat(last.path("eval_rewards/chosen"))
                .isEqualTo(expected.get(expected.size() - 1).path("eval_rewards/chosen"));
    }

    @Test
    void rowsAreOfOneObjectiveAndSayWhichAnswersTheyHold() {
        Path rows = folder.resolve("rows");
        CommandRun prepared = CommandRun.of(
                "prepare",
                "--model",
                pairs.model(),
                "--data",
                pairs.source(),
                "--output",
                rows.toString(),
                "--sequence-length",
                "32",
                "--objective",
                "orpo",
                "--report");
        assertThat(prepared.code()).as(prepared.err()).isEqualTo(ExitCode.OK);
        assertThat(rows.resolve("report.txt")).content().contains(": chosen\n", ": rejected\n");

        CommandRun refused =
                pairs.withData(rows.toString()).train(folder.resolve("refused").toString());
        assertThat(refused.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(refused.err())
                .contains(
                        "expected supervised examples, found preference ones. Prepare the data with the same --objective");

        CommandRun trained = pairs.withData(rows.toString())
                .train(folder.resolve("orpo").toString(), "--objective", "simpo", "--max-steps", "1");
        assertThat(trained.code()).as(trained.err()).isEqualTo(ExitCode.OK);
    }

    @Test
    void optionsOfAnotherObjectiveAreRefusedTogether() {
        CommandRun run = pairs.train(
                folder.resolve("none").toString(),
                "--objective",
                "orpo",
                "--ld-alpha",
                "0.5",
                "--reference",
                "initial");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--ld-alpha: expected --objective dpo with it, found orpo",
                        "--reference: expected --objective dpo or kto with it, found orpo");
    }

    private static List<JsonNode> steps(TrainRuns runs, Path output, String... options) throws IOException {
        CommandRun run = runs.train(output.toString(), options);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return Files.readAllLines(output.resolve("metrics.jsonl")).stream()
                .map(PreferenceRunTest::json)
                .toList();
    }

    private static JsonNode json(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
