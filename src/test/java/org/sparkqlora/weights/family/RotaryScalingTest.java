package org.sparkqlora.weights.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.stream.StreamSupport;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.weights.Goldens;

/** Frequencies beside those of transformers (src/test/python/make_rotary_goldens.py). */
class RotaryScalingTest {
    /** Relative; the reference computes in float32, powers of theta included. */
    private static final double TOLERANCE = 2e-6;

    static List<JsonNode> cases() throws IOException {
        JsonNode cases = new ObjectMapper()
                .readTree(Goldens.path("rotary/frequencies.json").toFile());
        return StreamSupport.stream(cases.spliterator(), false).toList();
    }

    @ParameterizedTest(name = "case {index}")
    @MethodSource("cases")
    void frequenciesAndAttentionFactorEqualTheReference(JsonNode example) {
        int headSize = example.get("head_dim").asInt();

        RotarySpec rotary = config(example).layerTraits().get(0).rotary().orElseThrow();
        float[] frequencies = rotary.frequencies(headSize, example.get("length").asInt());

        assertThat(frequencies).hasSize(example.get("frequencies").size());
        for (int pair = 0; pair < frequencies.length; pair++) {
            double expected = example.get("frequencies").get(pair).asDouble();
            assertThat((double) frequencies[pair]).as("pair %d", pair).isCloseTo(expected, ofRelative(expected));
        }

        double factor = example.get("attention_factor").asDouble();
        assertThat(rotary.scaling().attentionFactor()).isCloseTo(factor, ofRelative(factor));
    }

    @Test
    void scalingStretchesWhatTheModelReaches() {
        assertThat(new RotaryScaling.Unscaled().reach(4096)).isEqualTo(4096);
        assertThat(new RotaryScaling.Linear(2.5).reach(4096)).isEqualTo(10_240);
        assertThat(new RotaryScaling.Dynamic(4, 4096).reach(4096)).isEqualTo(16_384);
        assertThat(new RotaryScaling.Llama3(8, 1, 4, 8192).reach(131_072)).isEqualTo(131_072);
        assertThat(new RotaryScaling.Yarn(4, 1, 32, 1, 32_768, true).reach(32_768))
                .isEqualTo(131_072);
        assertThat(new RotaryScaling.Yarn(4, 1, 32, 1, 32_768, true).reach(131_072))
                .isEqualTo(131_072);
    }

    @Test
    void dynamicScalingLeavesSequencesOfTheOriginalLengthAlone() {
        RotarySpec plain = new RotarySpec(10_000, new RotaryScaling.Unscaled());
        RotarySpec dynamic = new RotarySpec(10_000, new RotaryScaling.Dynamic(4, 128));

        assertThat(dynamic.frequencies(16, 128)).isEqualTo(plain.frequencies(16, 128));
        assertThat(dynamic.frequencies(16, 129)[7]).isLessThan(plain.frequencies(16, 129)[7]);
    }

    private static ModelConfig config(JsonNode example) {
        return ModelConfigJson.parse("config.json", """
                {"model_type": "llama", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2,
                 "num_attention_heads": 4, "head_dim": %s, "max_position_embeddings": %s, "rope_parameters": %s}
                """.formatted(
                example.get("head_dim"), example.get("max_position_embeddings"), example.get("rope_parameters")));
    }

    private static Offset<Double> ofRelative(double expected) {
        return within(TOLERANCE * expected);
    }
}
