package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.family.TextConfigJson;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class GgufFitTest {
    private static final Path MODELS = Path.of("src/test/resources/goldens/models");

    private static final Map<String, String> ARCHITECTURES = Map.of(
            "gemma3_text", "gemma3",
            "gemma4_text", "gemma4",
            "gemma4_text-bias", "gemma4",
            "granitemoehybrid-nope", "granite",
            "qwen3_5_text", "qwen35",
            "qwen3_moe-sparse", "qwen3moe",
            "qwen3_moe-down", "qwen3moe");

    /** Configs that our models have and no GGUF file can say. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gemma2 | rope_theta 100.0, expected 10000.0; query_pre_attn_scalar 24, expected 16.0",
                "gemma3_text | layer_types other than full attention in every sixth; query_pre_attn_scalar 24, expected 16.0",
                "smollm3 | no_rope_layers other than every fourth",
                "granitemoehybrid-nope | position_embedding_type nope, expected rope",
                "qwen3_5_text | linear_key_head_dim 8 and linear_value_head_dim 16, expected the same",
                "qwen3_moe-sparse | layers without experts (mlp_only_layers, decoder_sparse_step); norm_topk_prob false, expected true: weights of a token's experts that sum to 1; attention_bias true, expected false",
                "gemma4_text | vocab_size_per_layer_input other than vocab_size",
                "gemma4_text-bias | attention_bias true, expected false",
                "qwen3_moe-down | norm_topk_prob false, expected true: weights of a token's experts that sum to 1"
            })
    void whatNoKeySaysIsRefused(String model, String problems) {
        Path config = MODELS.resolve(model).resolve("base/config.json");

        assertThatThrownBy(() -> check(config))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot export %s as GGUF, since llama.cpp computes a %s otherwise: %s",
                        config, ARCHITECTURES.getOrDefault(model, model), problems);
    }

    @Test
    void aFamilyThatIsNotWrittenHereIsSentToTheConverter() {
        assertThatThrownBy(() -> check(MODELS.resolve("gpt_oss/base/config.json")))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Unsupported model_type gpt_oss in GGUF: expected one of [llama, qwen2, qwen3, gemma2, gemma3_text, granite, olmo2, phi3, smollm3, ministral3, olmo3, granitemoehybrid, qwen3_5_text, qwen3_moe, gemma4_text]. Give the folder, or one that merge writes, to convert_hf_to_gguf.py of llama.cpp");
    }

    @Test
    void whatOnlyLongTextsMeetIsNoted() throws IOException {
        assertThat(check(MODELS.resolve("mistral-window/base/config.json")))
                .containsExactly(
                        "llama.cpp lets each token of a mistral see all before it, not 8: longer texts are continued otherwise");
        assertThat(check(MODELS.resolve("rotary-dynamic/base/config.json")))
                .containsExactly(
                        "llama.cpp knows no dynamic scaling: texts of more than 8 tokens are continued otherwise");
    }

    static Stream<Path> published() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/hub-configs"))) {
            return files
                    .filter(file -> !file.getFileName().toString().startsWith("gpt-oss")) // no file is written of it
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("published")
    void whatThePublishedModelsComputeFitsWithoutANote(Path config) throws IOException {
        assertThat(check(config)).isEmpty();
    }

    /** Every model of the goldens of llama.cpp fits. */
    @Test
    void whatLlamaCppComputesFitsWithoutANote() throws IOException {
        for (String name : ExportGolden.names()) {
            assertThat(check(ExportGolden.of(name).folder().resolve("config.json")))
                    .as(name)
                    .isEmpty();
        }
    }

    /** llama.cpp reads no attention factor of YaRN but computes it. */
    @Test
    void anAttentionFactorThatLlamaCppDoesNotComputeIsRefused() throws IOException {
        Path config = MODELS.resolve("rotary-yarn/base/config.json");
        String text = Files.readString(config);
        String usual = text.replace("\"factor\": 4.0", "\"factor\": 4.0, \"attention_factor\": 1.138629436");

        assertThat(check(usual)).isEmpty();
        assertThatThrownBy(() -> check(usual.replace("1.138629436", "1.0")))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageEndingWith("YaRN with an attention factor of 1.0, expected 1.138629436111989");
    }

    private static List<String> check(String config) {
        return GgufFit.check(ModelConfigJson.parse("config.json", config), FieldsJson.parse("config.json", config));
    }

    private static List<String> check(Path config) throws IOException {
        return GgufFit.check(
                ModelConfigJson.read(config),
                TextConfigJson.of(FieldsJson.parse(config.toString(), Files.readString(config))));
    }
}
