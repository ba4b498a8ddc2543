package org.sparkqlora.weights.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** What the configs of the families of 2026 mean, and what of them is refused. */
class FamilyConfigTest {
    private static final String SIZES = """
            "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4""";

    @Test
    void ministral3TurnsAsTransformersSaysWhereTheConfigDoesNot() {
        ModelConfig config = parse("\"model_type\": \"ministral3\"");

        RotarySpec rotary = config.layerTraits().get(0).rotary().orElseThrow();
        assertThat(rotary.scaling()).isEqualTo(new RotaryScaling.Yarn(16, 1, 32, 1, 16_384, true));
        assertThat(rotary.queryScaling()).hasValue(new QueryScaling(0.1, 16_384));
        assertThat(config.layerTraits().get(0).window()).isEmpty();
        assertThat(config.headSize()).isEqualTo(128);
    }

    @Test
    void queriesGrowByTheLogarithmOfTheContextsBehindThem() {
        QueryScaling scaling = new QueryScaling(0.1, 16_384);

        assertThat(scaling.factor(0)).isEqualTo(1);
        assertThat(scaling.factor(16_383)).isEqualTo(1);
        assertThat(scaling.factor(16_384)).isEqualTo(1 + 0.1 * Math.log(2));
        assertThat(scaling.factor(70_000)).isEqualTo(1 + 0.1 * Math.log(5));
    }

    @Test
    void olmo3StretchesTheWavesOfItsFullLayersOnly() {
        ModelConfig config = parse("""
                "model_type": "olmo3", "layer_types": ["sliding_attention", "full_attention"], "sliding_window": 64, "rope_theta": 1000.0,
                "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192,
                                 "attention_factor": 1.2, "beta_fast": 32, "beta_slow": 1}""");

        assertThat(config.layerTraits())
                .containsExactly(
                        new LayerTraits(
                                OptionalInt.of(64), Optional.of(new RotarySpec(1000, new RotaryScaling.Unscaled()))),
                        new LayerTraits(
                                OptionalInt.empty(),
                                Optional.of(new RotarySpec(1000, new RotaryScaling.Yarn(8, 1.2, 32, 1, 8192, true)))));
    }

    @Test
    void granite4TakesTheWidthOfWhatExpertsWouldShare() {
        ModelConfig config = parse("""
                "model_type": "granitemoehybrid", "num_local_experts": 0, "shared_intermediate_size": 96,
                "layer_types": ["attention", "attention"], "position_embedding_type": "rope\"""");

        assertThat(config.intermediateSize()).isEqualTo(96);
        assertThat(DecoderTensors.of(config).shapes().get("model.layers.1.shared_mlp.input_linear.weight"))
                .containsExactly(192, 64);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"num_local_experts\": 72 | Unsupported num_local_experts '72' in config.json: expected 0: a model without experts",
                "\"num_local_experts\": 0, \"layer_types\": [\"mamba\", \"attention\"] | Unsupported layer_types 'mamba' in config.json: expected attention in every layer; Mamba is not computed",
                "\"num_local_experts\": 0 | Cannot read config.json: expected attention for each layer for layer_types, found nothing",
                "\"num_local_experts\": 0, \"layer_types\": [\"attention\", \"attention\"], \"position_embedding_type\": \"alibi\" | Unsupported position_embedding_type 'alibi' in config.json: expected rope or nope",
            })
    void refusesWhatGranite4HasBesideAttention(String fields, String message) {
        assertThatThrownBy(() ->
                        parse("\"model_type\": \"granitemoehybrid\", \"shared_intermediate_size\": 96, " + fields))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    private static ModelConfig parse(String fields) {
        return ModelConfigJson.parse("config.json", "{%s, %s}".formatted(fields, SIZES));
    }
}
