package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoLanguage;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.run.output.RunFiles;

/** {@code train} with what looks at it on its way. */
class EvaluatedRunTest {
    private static final String ADAPTER = "adapter/adapter_model.safetensors";

    @TempDir
    private Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void anEvaluationCountsEveryTrainedTokenAndCanListTheDocuments() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        Path documents = folder.resolve("documents.jsonl");

        CommandRun run = CommandRun.of(
                "evaluate",
                "--model",
                runs.model(),
                "--data",
                runs.source(),
                "--sequence-length",
                "64",
                "--model-cache",
                runs.cache().toString(),
                "--per-example",
                documents.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(JsonValues.of(run.summary()))
                .containsKey("loss")
                .containsKey("perplexity")
                .containsEntry("tokens", 1408);
        assertThat(Files.readAllLines(documents)).hasSize(DemoLanguage.pirate().size());
    }

    @Test
    void theAdapterIsThatOfTheLowestLossAndSamplesAreKept() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "What does the owl say?\nWhere is the owl?\n");
        Path output = folder.resolve("run");

        CommandRun run = runs.train(
                output.toString(),
                "--max-steps",
                "6",
                "--schedule",
                "constant",
                "--warmup-ratio",
                "0",
                "--learning-rate",
                "0.1",
                "--eval-fraction",
                "0.2",
                "--eval-every",
                "1",
                "--keep-best",
                "--patience",
                "2",
                "--eval-prompts",
                prompts.toString(),
                "--eval-max-new-tokens",
                "4");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode summary = new ObjectMapper().readTree(run.summary());
        long best = summary.path("best_step").asLong();
        long steps = summary.path("steps").asLong();
        assertThat(best).isBetween(1L, 6L);
        assertThat(summary.path("adapter_eval_loss")).isEqualTo(summary.path("best_eval_loss"));
        assertThat(summary.path("eval_loss").asDouble())
                .isGreaterThan(summary.path("adapter_eval_loss").asDouble());
        assertThat(output.resolve("prepared-eval/manifest.json")).exists();
        List<String> samples = Files.readAllLines(output.resolve(RunFiles.SAMPLES));
        assertThat(samples).hasSize(Math.toIntExact(2 * (steps + 1)));
        assertThat(samples.get(1)).startsWith("{\"step\":0,\"prompt\":\"Where is the owl?\",\"text\":");

        Path shorter = folder.resolve("shorter");
        runs.train(
                shorter.toString(),
                "--max-steps",
                String.valueOf(best),
                "--schedule",
                "constant",
                "--warmup-ratio",
                "0",
                "--learning-rate",
                "0.1",
                "--eval-fraction",
                "0.2");
        assertThat(output.resolve(ADAPTER)).hasSameBinaryContentAs(shorter.resolve(ADAPTER));
    }

    @Test
    void promptsThatCannotBeAskedAreFoundBeforeAnyWork() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "\n");

        CommandRun run =
                runs.train(folder.resolve("run").toString(), "--eval-prompts", prompts.toString(), "--dry-run");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot answer " + prompts + ": expected a prompt, found none");
    }

    @Test
    void heldOutExamplesThatAreTrainedOnAreCounted() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        List<String> all = Files.readAllLines(runs.data());
        Path some = Files.write(folder.resolve("some.jsonl"), all.subList(0, 3));

        CommandRun run =
                runs.train(folder.resolve("run").toString(), "--max-steps", "1", "--eval-data", some.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("warning: 3 of 3 held-out documents are among the training documents");
        JsonNode summary = new ObjectMapper().readTree(run.summary());
        assertThat(summary.path("adapter_eval_loss")).isEqualTo(summary.path("eval_loss"));
    }

    @Test
    void modelThatPredictsNothingIsToldOf() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        Path output = folder.resolve("run");
        CommandRun run = runs.train(
                output.toString(),
                "--method",
                "full",
                "--max-steps",
                "4",
                "--learning-rate",
                "30",
                "--warmup-ratio",
                "0");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);

        CommandRun evaluation = CommandRun.of(
                "evaluate",
                "--method=lora",
                "--precision=fp32",
                "--sequence-length=64",
                "--model=" + output.resolve("model"),
                "--data=" + runs.source());

        assertThat(run.err()).containsOnlyOnce("the model predicts nothing");
        assertThat(evaluation.err()).containsOnlyOnce("the model predicts nothing");
    }

    @Test
    void documentsLongerThanTheModelsPositionsAreToldOf() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        Path config = folder.resolve("model/config.json");
        String text = Files.readString(config);
        Files.writeString(
                config, text.replaceFirst("\"max_position_embeddings\"\\s*:\\s*\\d+", "\"max_position_embeddings\":8"));

        CommandRun run = runs.train(folder.resolve("run").toString(), "--max-steps", "1");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .containsPattern("warning: rows of .* hold documents of \\d+ tokens, and the model was made for 8: ");
    }

    @Test
    void whatNeedsHeldOutExamplesSaysSo() throws IOException {
        CommandRun run = TrainRuns.in(folder)
                .train(folder.resolve("run").toString(), "--keep-best", "--patience", "-1", "--eval-fraction", "1");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--eval-fraction: expected 0 (off) or more, less than 1, found 1.0",
                        "--patience: expected at least 0, found -1");
        assertThat(TrainRuns.in(folder)
                        .train(folder.resolve("run").toString(), "--keep-best")
                        .err())
                .contains("--keep-best: expected --eval-data or --eval-fraction with it, found neither");
    }
}
