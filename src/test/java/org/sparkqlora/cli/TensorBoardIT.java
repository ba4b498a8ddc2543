package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.watch.TensorBoardFiles;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.StepSeconds;

/** The event files of a run, read by TensorBoard's own reader. */
@Tag("platform")
class TensorBoardIT {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    private Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void tensorBoardReadsTheCurvesOfARun() throws IOException, InterruptedException {
        TrainRuns runs = TrainRuns.in(folder);
        train(runs);

        JsonNode curves = read();
        List<JsonNode> metrics = metrics();

        assertThat(metrics).hasSize(6);
        assertCurve(curves.at("/train/Loss"), metrics, "loss");
        assertCurve(curves.at("/train/LearningRate"), metrics, "learning_rate");
        assertCurve(curves.at("/train/GradientNorm"), metrics, "grad_norm");
        assertThat(curves.at("/train/Throughput")).hasSize(6);
        List<JsonNode> evaluated =
                metrics.stream().filter(line -> line.has("eval_loss")).toList();
        assertThat(evaluated).hasSize(3);
        assertCurve(curves.at("/validation/Loss"), evaluated, "eval_loss");
    }

    @Test
    void itReadsOurOwnFilesAndForgetsStepsThatWereTakenAgain() throws IOException, InterruptedException {
        try (TensorBoardFiles files = new TensorBoardFiles(folder.resolve("events"), "out")) {
            files.started(0, 300);
            for (int step = 1; step <= 250; step++) {
                files.stepDone(step(step, 5.0 / step));
            }

            files.evaluated(200, 3);
        }

        try (TensorBoardFiles files = new TensorBoardFiles(folder.resolve("events"), "out")) {
            files.started(200, 300);
            for (int step = 201; step <= 300; step++) {
                files.stepDone(step(step, 0.1));
            }

            files.evaluated(300, 2.5);
        }

        JsonNode curves = read();

        JsonNode loss = curves.at("/train/Loss");
        assertThat(loss).hasSize(300);
        for (int i = 0; i < 300; i++) {
            assertThat(loss.get(i).get(0).asInt()).isEqualTo(i + 1);
            assertThat((float) loss.get(i).get(1).asDouble()).isEqualTo(i < 200 ? (float) (5.0 / (i + 1)) : 0.1f);
        }

        assertThat(curves.at("/validation/Loss")).hasSize(2);
        assertThat(curves.at("/train/GradientNorm")).hasSize(300);
    }

    private static StepMetrics step(int step, double loss) {
        return new StepMetrics(
                step, loss, 8, 10, 1e-4, OptionalDouble.of(1), OptionalDouble.empty(), StepSeconds.ZERO, Map.of(), 0);
    }

    private void train(TrainRuns runs) {
        CommandRun run = runs.train(
                folder.resolve("out").toString(),
                "--max-steps",
                "6",
                "--eval-data",
                runs.data().toString(),
                "--eval-every",
                "2",
                "--tensorboard",
                folder.resolve("events").toString());
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }

    private JsonNode read() throws IOException, InterruptedException {
        Path result = folder.resolve("curves.json");
        PythonEnvironment.open().run("read_events.py", folder.resolve("events").resolve("out"), result);
        return MAPPER.readTree(result.toFile());
    }

    private List<JsonNode> metrics() throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("out").resolve("metrics.jsonl"))) {
            lines.add(MAPPER.readTree(line));
        }

        return lines;
    }

    /** Equal steps, and equal values in float32. */
    private static void assertCurve(JsonNode curve, List<JsonNode> lines, String key) {
        assertThat(curve).hasSameSizeAs(lines);
        for (int i = 0; i < lines.size(); i++) {
            assertThat(curve.get(i).get(0).asInt())
                    .isEqualTo(lines.get(i).path("step").asInt());
            assertThat((float) curve.get(i).get(1).asDouble())
                    .isEqualTo((float) lines.get(i).path(key).asDouble());
        }
    }
}
