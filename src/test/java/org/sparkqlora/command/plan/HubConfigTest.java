package org.sparkqlora.command.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

/** Shapes of published models in the form of their configs: each is read, has as many weights as the model is said to have, and is planned. */
class HubConfigTest {
    private static final Path CONFIGS = Path.of("src/test/resources/hub-configs");

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "Qwen3-30B-A3B, qwen3_moe, 30.53",
        "Qwen3-Coder-30B-A3B, qwen3_moe, 30.53",
        "Qwen3-235B-A22B, qwen3_moe, 235.09",
        "Qwen3.5-0.8B, qwen3_5_text, 0.75",
        "Qwen3.5-2B, qwen3_5_text, 1.88",
        "Qwen3.5-4B, qwen3_5_text, 4.21",
        "gpt-oss-20b, gpt_oss, 20.91",
        "gpt-oss-120b, gpt_oss, 116.83",
        "Qwen3.5-9B, qwen3_5_text, 8.95",
        "Qwen3.5-27B, qwen3_5_text, 26.90",
        "gemma-4-E2B, gemma4_text, 4.63",
        "gemma-4-E4B, gemma4_text, 7.46",
        "gemma-4-12B, gemma4_unified_text, 11.91",
        "gemma-4-31B, gemma4_text, 30.70",
        "Ministral-3-3B, ministral3, 3.43",
        "Ministral-3-8B, ministral3, 8.49",
        "Ministral-3-14B, ministral3, 13.51",
        "Devstral-Small-2-24B, ministral3, 23.57",
        "Olmo-3-7B, olmo3, 7.30",
        "Olmo-3-32B, olmo3, 32.23",
        "granite-4.0-350m, granitemoehybrid, 0.35",
        "granite-4.0-1b, granitemoehybrid, 1.63",
        "granite-4.0-micro, granitemoehybrid, 3.40",
        "phi-4, phi3, 14.66",
        "DeepSeek-R1-Distill-Llama-8B, llama, 8.03",
        "DeepSeek-R1-Distill-Qwen-7B, qwen2, 7.62"
    })
    void isReadAndPlanned(String name, String family, String billions) throws IOException {
        Path config = Files.copy(CONFIGS.resolve(name + ".json"), folder.resolve("config.json"));

        assertThat("%.2f"
                        .formatted(
                                DecoderTensors.of(ModelConfigJson.read(config)).elements() / 1e9))
                .isEqualTo(billions);
        CommandRun run = CommandRun.of("plan", "--model", folder.toString(), "--sequence-length", "2048");
        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).containsPattern(billions + "B parameters[^:]*: " + family);
    }

    @Test
    void gptOssMeetsTheWeightsThatItsCardNames() {
        assertThat(activeBillions("gpt-oss-20b")).isEqualTo("3.61");
        assertThat(activeBillions("gpt-oss-120b")).isEqualTo("5.13");
    }

    @Test
    void adaptersOnExpertsAndRouterOfGptOssAreCounted() throws IOException {
        Files.copy(CONFIGS.resolve("gpt-oss-20b.json"), folder.resolve("config.json"));

        CommandRun run = CommandRun.of(
                "plan",
                "--model",
                folder.toString(),
                "--rank",
                "8",
                "--target-parameters",
                "mlp.experts.gate_up_proj,mlp.experts.down_proj,mlp.router.weight");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        // 24 layers of 8 (4 2880 + 2 4096 + 2 512) of attention, 8 32 (3 2880 + 5760) of experts, 8 (2880 + 32) of the
        // router: 93 million
        assertThat(run.err()).containsPattern("adapter +- +0\\.37 +0\\.37");
    }

    /** As OpenAI counts them: without the embedding of tokens. */
    private static String activeBillions(String name) {
        ModelConfig config = ModelConfigJson.read(CONFIGS.resolve(name + ".json"));
        DecoderTensors tensors = DecoderTensors.of(config);
        return "%.2f".formatted((tensors.activeElements() - tensors.elements(DecoderTensors.EMBEDDING)) / 1e9);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"Qwen3-30B-A3B, 30.53, 3.35", "Qwen3-235B-A22B, 235.09, 22.19"})
    void aMixtureIsPlannedByAllWeightsAndComputedByThoseATokenMeets(String name, String all, String met)
            throws IOException {
        Files.copy(CONFIGS.resolve(name + ".json"), folder.resolve("config.json"));

        CommandRun run = CommandRun.of("plan", "--model", folder.toString());

        assertThat(run.err()).contains(all + "B parameters, " + met + "B a token, of 128 experts 8: qwen3_moe");
    }
}
