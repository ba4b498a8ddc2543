package org.sparkqlora.command.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.weights.family.ModelConfigJson;

class BenchCommandTest {
    private static final String LLAMA = "src/test/resources/goldens/models/llama-tied/base";

    /** Operations of a token for 106,168,320 projection weights and 28,311,552 of the head, at 6 and 4 operations each. */
    private static final double SMOLLM2_OPERATIONS = 6 * 106_168_320.0 + 4 * 28_311_552.0;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void measuresEachPartOfAModel(@TempDir Path cache) throws IOException {
        CommandRun run = CommandRun.of(
                "bench",
                "--model",
                LLAMA,
                "--model-cache",
                cache.toString(),
                "--sequence-length",
                "16",
                "--batch-size",
                "2",
                "--rank",
                "4",
                "--threads",
                "2",
                "--repetitions",
                "1",
                "--warm-up",
                "0");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode summary = new ObjectMapper().readTree(run.summary());
        assertThat(summary.at("/setting/threads").asInt()).isEqualTo(2);
        for (String key : List.of(
                "/nf4/quantize_weights_per_second",
                "/nf4/dequantize_bf16_weights_per_second",
                "/optimizer/adamw_parameters_per_second",
                "/optimizer/adamw_8bit_parameters_per_second",
                "/head/loss_and_gradient_ms",
                "/attention/forward_ms",
                "/attention/libtorch_forward_ms",
                "/layer/recompute_and_backward_ms",
                "/memory/peak_resident_bytes")) {
            assertThat(summary.at(key).asDouble()).as(key).isPositive();
        }

        JsonNode step = summary.path("step");
        double seconds = step.path("gradient_seconds").asDouble()
                + step.path("update_seconds").asDouble();
        assertThat(step.path("tokens_per_second").asDouble()).isCloseTo(32 / seconds, within(1e-6));
        assertThat(run.err()).contains("tokens per second");
    }

    @Test
    void makesAModelOfANamedShape(@TempDir Path folder) throws IOException {
        RandomModel.write(folder, ModelShape.SMOLLM2_135M);

        CommandRun plan = CommandRun.of("plan", "--model", folder.toString());
        assertThat(new ObjectMapper()
                        .readTree(plan.summary())
                        .path("parameters")
                        .asLong())
                .isEqualTo(134_515_008);
        assertThat(Files.size(folder.resolve("model.safetensors"))).isBetween(2 * 134_515_008L, 2 * 134_600_000L);
    }

    @Test
    void aTokenCostsSixOperationsAProjectionWeightAndFourAHeadWeight(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), BenchJson.config(ModelShape.SMOLLM2_135M));

        Roofline roofline = Roofline.of(ModelConfigJson.read(folder.resolve("config.json")), SMOLLM2_OPERATIONS);

        assertThat(roofline.tokensPerSecondWithRecompute()).isCloseTo(1, within(1e-12));
        assertThat(roofline.tokensPerSecondWithoutRecompute()).isGreaterThan(1.39);
    }

    @Test
    void reportsAllProblemsTogether() {
        CommandRun run = CommandRun.of(
                "bench",
                "--model",
                LLAMA,
                "--shape",
                "smollm2-135m",
                "--threads",
                "0",
                "--repetitions",
                "0",
                "--warm-up",
                "-1");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("bench: 4 problems")
                .contains("--model, --shape: expected at most one of them, found both")
                .contains("--threads: expected at least 1, found 0")
                .contains("--repetitions: expected at least 1, found 0")
                .contains("--warm-up: expected a finite number, 0 or more, found -1.0");
    }

    @Test
    void aGpuThatIsNotThereIsTold(@TempDir Path cache) {
        CommandRun run = CommandRun.of(
                "bench", "--model", LLAMA, "--model-cache", cache.toString(), "--device", "cuda", "--parts", "step");

        assertThat(run.code()).isNotEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("Cannot compute on GPU 0: ").doesNotContain("\tat ");
        assertThat(CommandRun.of("bench", "--device", "auto").err())
                .contains("--device: expected cpu or cuda, found auto, which is for tasks of Spark");
    }

    @Test
    void aClusterHasExecutorsOfItsOwn() {
        CommandRun run = CommandRun.of("bench", "--cluster");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot measure a cluster: expected at least two executors on local[*], found 0");
        assertThat(CommandRun.of("bench", "--cluster", "--shape", "smollm2-135m")
                        .err())
                .contains("--cluster: expected no --model and no --shape with it, of which it knows nothing");
    }

    @Test
    void namesTheShapesItKnows() {
        CommandRun run = CommandRun.of("bench", "--shape", "gpt5");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot use shape 'gpt5': expected one of smollm2-135m, smollm2-360m");
    }
}
