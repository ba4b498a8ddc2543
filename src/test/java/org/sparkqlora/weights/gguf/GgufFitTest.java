package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class GgufFitTest {
    private static final Path MODELS = Path.of("src/test/resources/goldens/models");

    /** Configs that our models have and no GGUF file can say. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gemma2 | rope_theta 100.0, expected 10000.0; query_pre_attn_scalar 24, expected 16.0",
                "gemma3_text | layer_types other than full attention in every sixth; query_pre_attn_scalar 24, expected 16.0",
                "smollm3 | no_rope_layers other than every fourth"
            })
    void whatNoKeySaysIsRefused(String model, String problems) {
        Path config = MODELS.resolve(model).resolve("base/config.json");

        assertThatThrownBy(() -> check(config))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot export %s as GGUF, since llama.cpp computes a %s otherwise: %s",
                        config, model.equals("gemma3_text") ? "gemma3" : model, problems);
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

    /** Every model of the goldens of llama.cpp fits. */
    @Test
    void whatLlamaCppComputesFitsWithoutANote() throws IOException {
        for (String name : ExportGolden.names()) {
            assertThat(check(ExportGolden.of(name).folder().resolve("config.json")))
                    .as(name)
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ministral3", "olmo3", "granitemoehybrid", "qwen3_5_text"})
    void familiesThatFilesHereCannotHoldAreRefused(String family) {
        assertThatThrownBy(() -> check(MODELS.resolve(family + "/base/config.json")))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Unsupported model_type %s in GGUF: expected one of [llama, qwen2, qwen3, gemma2, gemma3, granite, olmo2, phi3, smollm3]"
                                .formatted(family));
    }

    private static List<String> check(Path config) throws IOException {
        return GgufFit.check(
                ModelConfigJson.read(config), FieldsJson.parse(config.toString(), Files.readString(config)));
    }
}
