package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.family.ModelConfigJson;

/** Commands over a base of which the least is resident. */
class BaseMemoryOptionTest {
    private static final int MOST_PASSES = 64;

    @TempDir
    private Path folder;

    private TrainRuns runs;
    private String least;

    @BeforeEach
    void write() throws IOException {
        runs = TrainRuns.in(folder);
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.FP32, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));
        least = Long.toString(BaseMemoryLimit.smallest(
                ModelConfigJson.read(Path.of(runs.model(), "config.json")), spec, MOST_PASSES));
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void trainWritesTheSameBytes() throws IOException {
        CommandRun all = runs.train(folder.resolve("all").toString(), "--base-memory", "all", "--max-steps", "2");
        CommandRun window = runs.train(folder.resolve("window").toString(), "--base-memory", least, "--max-steps", "2");

        CommandRun wide =
                runs.train(folder.resolve("wide").toString(), "--base-memory", "dequantized", "--max-steps", "2");

        assertThat(all.code()).as(all.err()).isEqualTo(ExitCode.OK);
        assertThat(wide.code()).as(wide.err()).isEqualTo(ExitCode.OK);
        assertThat(folder.resolve("wide/adapter/adapter_model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("all/adapter/adapter_model.safetensors"));
        assertThat(window.code()).as(window.err()).isEqualTo(ExitCode.OK);
        assertThat(window.err()).contains("base memory: ");
        assertThat(folder.resolve("window/adapter/adapter_model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("all/adapter/adapter_model.safetensors"));
    }

    @Test
    void evaluateFindsTheSameLossAndGenerateTheSameText() throws IOException {
        List<String> losses = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (String memory : List.of("all", least, "dequantized")) {
            CommandRun loss = CommandRun.of(
                    "evaluate",
                    "--model",
                    runs.model(),
                    "--data",
                    runs.source(),
                    "--model-cache",
                    cache(),
                    "--sequence-length",
                    "64",
                    "--precision",
                    "fp32",
                    "--base-memory",
                    memory);
            assertThat(loss.code()).as(loss.err()).isEqualTo(ExitCode.OK);
            losses.add(new ObjectMapper().readTree(loss.summary()).path("loss").asText());
            CommandRun text = CommandRun.of(
                    "generate",
                    "--model",
                    runs.model(),
                    "--model-cache",
                    cache(),
                    "--prompt",
                    "Where is the ship?",
                    "--precision",
                    "fp32",
                    "--max-new-tokens",
                    "8",
                    "--temperature",
                    "0",
                    "--base-memory",
                    memory);
            assertThat(text.code()).as(text.err()).isEqualTo(ExitCode.OK);
            texts.add(text.out().get(0));
        }

        assertThat(losses.get(0)).isNotEmpty();
        assertThat(losses).containsOnly(losses.get(0));
        assertThat(texts).containsOnly(texts.get(0));
    }

    @Test
    void aBoundThatIsTooSmallIsRefusedBeforeAnyWork() {
        Path output = folder.resolve("output");

        CommandRun run = runs.train(output.toString(), "--base-memory", "1K", "--max-steps", "2");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot keep the base in 1024 bytes: expected at least ")
                .contains("Raise --base-memory, or lower --passes-at-once");
        assertThat(Files.exists(output.resolve("adapter"))).isFalse();
    }

    @Test
    void fullTrainingHasNoFrozenBase() {
        CommandRun run = runs.train(folder.resolve("output").toString(), "--base-memory", "1G", "--method", "full");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("--base-memory: expected --method qlora or lora with it, found full, whose base trains");
    }

    @Test
    void onlyAQuantisedBaseOnTheProcessorIsDequantised() {
        String output = folder.resolve("output").toString();
        CommandRun lora = runs.train(output, "--base-memory", "dequantized", "--method", "lora");
        CommandRun card = runs.train(output, "--base-memory", "dequantized", "--device", "cuda");

        assertThat(lora.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(lora.err()).contains("--base-memory dequantized: expected --method qlora with it, found lora");
        assertThat(card.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(card.err())
                .contains("--base-memory dequantized: expected tasks on the processor, found them on a GPU");
    }

    private String cache() {
        return runs.cache().toString();
    }
}
