package org.sparkqlora.weights.gguf;

import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.sparkqlora.weights.family.KeyValues;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.RotaryScaling;
import org.sparkqlora.weights.family.RotarySpec;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Metadata of Gemma 4: sizes of two kinds of layers, those with a window and those that see all tokens. */
record GgufGemma4Entries(GgufEntries entries, ModelConfig config, FieldsJson fields, GgufOutType outType) {
    /** A pair of this factor on its wave length does not turn. */
    private static final float STILL = 1e30f;

    void put() {
        int full = layer(config, false);
        int windowed = layer(config, true);
        count("block_count", config.layers());
        count("context_length", config.maxPositions());
        count("embedding_length", config.hiddenSize());
        putOnceOrEach("feed_forward_length", fields.flag("use_double_wide_mlp", false), config::intermediateSize);
        count("attention.head_count", config.heads());
        putOnceOrEach("attention.head_count_kv", namesKeyValueHeads(), config::keyValueHeads);
        number("rope.freq_base", rotary(config, full).theta());
        number("rope.freq_base_swa", rotary(config, windowed).theta());
        number("attention.layer_norm_rms_epsilon", config.normEpsilon());
        count("attention.key_length", config.headSize(full));
        count("attention.value_length", config.headSize(full));
        entries.count("general.file_type", outType.fileType());
        config.traits().logitCap().ifPresent(cap -> number("final_logit_softcapping", cap));
        count(
                GgufArchitecture.WINDOW,
                config.layerTraits().get(windowed).window().orElse(0));
        count("attention.shared_kv_layers", sharing());
        count(
                "embedding_length_per_layer_input",
                config.traits().perLayer().isPresent() ? config.perLayer().width() : 0);
        entries.flags(
                key("attention.sliding_window_pattern"),
                config.layerTraits().stream()
                        .map(layer -> layer.window().isPresent())
                        .toList());
        count("attention.key_length_swa", config.headSize(windowed));
        count("attention.value_length_swa", config.headSize(windowed));
        count("rope.dimension_count", config.headSize(full));
        count("rope.dimension_count_swa", config.headSize(windowed));
    }

    /** Factors on the wave lengths of layers that see all tokens, which turn the first pairs of a head alone. */
    static float[] factors(ModelConfig config) {
        int layer = layer(config, false);
        float[] factors = new float[config.headSize(layer) / 2];
        RotarySpec rotary = rotary(config, layer);
        double share = rotary.scaling() instanceof RotaryScaling.Proportional proportional ? proportional.share() : 1;
        int turning = (int) (config.headSize(layer) * share / 2);
        for (int pair = 0; pair < factors.length; pair++) {
            factors[pair] = pair < turning ? 1 : STILL;
        }

        return factors;
    }

    private boolean namesKeyValueHeads() {
        return config.layerTraits().stream()
                .anyMatch(layer -> layer.sizes().keyValueHeads().isPresent());
    }

    private long sharing() {
        return config.layerTraits().stream()
                .filter(layer -> layer.keyValues() instanceof KeyValues.OfLayer)
                .count();
    }

    private void putOnceOrEach(String name, boolean each, IntUnaryOperator ofLayer) {
        if (each) {
            List<Integer> all =
                    IntStream.range(0, config.layers()).map(ofLayer).boxed().toList();
            entries.integers(key(name), all);
        } else {
            count(name, ofLayer.applyAsInt(0));
        }
    }

    /** The first of its kind; that sees all tokens where there is none with a window. */
    private static int layer(ModelConfig config, boolean windowed) {
        return IntStream.range(0, config.layers())
                .filter(layer -> config.layerTraits().get(layer).window().isPresent() == windowed)
                .findFirst()
                .orElse(config.layers() - 1);
    }

    private static RotarySpec rotary(ModelConfig config, int layer) {
        return config.layerTraits().get(layer).rotary().orElseThrow();
    }

    private void count(String name, long value) {
        entries.count(key(name), value);
    }

    private void number(String name, double value) {
        entries.number(key(name), value);
    }

    private static String key(String name) {
        return GgufArchitecture.GEMMA4.key(name);
    }
}
