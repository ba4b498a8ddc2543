package org.sparkqlora.weights.family;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.sparkqlora.weights.safetensors.FieldsJson;

/**
 * Gemma 4 for text: Gemma 3 with heads of another size in full layers, a norm of values, a factor on each layer's output, and in some sizes
 * an embedding for each layer, keys and values that later layers take of earlier ones, and values that are keys.
 */
record Gemma4Family(int window, int perLayerWidth) implements ModelFamily {
    private static final int PATTERN = 6;
    private static final int FULL_HEAD_SIZE = 512;
    private static final double FULL_SHARE = 0.25;
    private static final double WINDOWED_THETA = 10_000;
    private static final String OVERRIDES = "per_layer_config";
    private static final String HEAD_SIZE = "head_dim";
    private static final String KEY_VALUE_HEADS = "num_key_value_heads";

    /** The text model of those with vision towers. */
    static Gemma4Family text() {
        return new Gemma4Family(512, 256);
    }

    /** That of the one without. */
    static Gemma4Family unifiedText() {
        return new Gemma4Family(1024, 0);
    }

    @Override
    public DecoderTraits traits(FieldsJson config) {
        requireKnown(config);
        boolean biased = config.flag("attention_bias", false);
        DecoderTraits.Builder traits = DecoderTraits.builder()
                .norms(NormPlacement.AROUND)
                .queryKeyNorm(QueryKeyNorm.EACH_HEAD)
                .valueNorm()
                .activation(Activation.read(config, "hidden_activation", Activation.GELU_TANH))
                .attentionBias(biased, biased)
                .embeddingMultiplier(Math.sqrt(config.count("hidden_size")))
                .attentionScale(1)
                .caps(OptionalDouble.empty(), config.numberOrNull("final_logit_softcapping"))
                .layerScalars();
        int width = config.integer("hidden_size_per_layer_input", perLayerWidth);
        if (width > 0) {
            int rows = config.count("vocab_size_per_layer_input", 262_144);
            if (rows < config.count("vocab_size")) {
                throw config.unsupported(
                        "vocab_size_per_layer_input", String.valueOf(rows), "a row for each of vocab_size tokens");
            }

            traits.perLayer(new PerLayerInput(width, rows));
        }

        return traits.build();
    }

    private static void requireKnown(FieldsJson config) {
        if (config.flag("enable_moe_block", false)) {
            throw config.unsupported("enable_moe_block", "true", "false: layers of experts are not computed");
        }

        String bidirectional = config.text("use_bidirectional_attention", "vision");
        if (!bidirectional.equals("vision")) {
            throw config.unsupported(
                    "use_bidirectional_attention",
                    bidirectional,
                    "null or vision: text attends to earlier tokens only");
        }
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        List<String> kinds = kinds(config);
        int shared = config.fields().integer("num_kv_shared_layers", 0);
        int own = kinds.size() - shared;
        if (shared < 0 || !Set.copyOf(kinds.subList(0, Math.max(0, own))).containsAll(kinds)) {
            throw config.fields()
                    .unsupported(
                            "num_kv_shared_layers",
                            String.valueOf(shared),
                            "a layer of each kind with keys and values of its own before those that share them");
        }

        OptionalInt seen = config.fields().countOrNull("sliding_window", window);
        List<LayerTraits> layers = new ArrayList<>();
        for (int layer = 0; layer < kinds.size(); layer++) {
            boolean full = kinds.get(layer).equals(LayerFieldsJson.FULL);
            layers.add(new LayerTraits(
                    full ? OptionalInt.empty() : seen,
                    Optional.of(full ? fullRotary(config) : windowedRotary(config)),
                    TokenMixing.ATTENTION,
                    sizes(config, layer, full, layer >= own),
                    layer < own
                            ? ownKeys(config.fields(), full)
                            : new KeyValues.OfLayer(kinds.subList(0, own).lastIndexOf(kinds.get(layer)))));
        }

        return layers;
    }

    /** The last layer sees all tokens, whatever the config says of it. */
    private static List<String> kinds(LayerFieldsJson config) {
        List<String> kinds = new ArrayList<>(config.kindsFullEvery(PATTERN));
        kinds.set(kinds.size() - 1, LayerFieldsJson.FULL);
        return kinds;
    }

    private static KeyValues ownKeys(FieldsJson config, boolean full) {
        return full && config.flag("attention_k_eq_v", false)
                ? new KeyValues.OneProjection()
                : new KeyValues.Projected();
    }

    private static RotarySpec windowedRotary(LayerFieldsJson config) {
        return config.unscaledRotaryOf(LayerFieldsJson.SLIDING, WINDOWED_THETA);
    }

    private RotarySpec fullRotary(LayerFieldsJson config) {
        FieldsJson all = config.fields().object("rope_parameters");
        return all.has(LayerFieldsJson.FULL)
                ? RotaryJson.readProportional(all.object(LayerFieldsJson.FULL), theta(), config.maxPositions())
                : new RotarySpec(theta(), new RotaryScaling.Proportional(FULL_SHARE, 1));
    }

    /** transformers writes sizes by layer; published configs say them once for all full layers. */
    private static LayerTraits.LayerSizes sizes(LayerFieldsJson layers, int layer, boolean full, boolean shares) {
        FieldsJson config = layers.fields();
        boolean wide = shares && config.flag("use_double_wide_mlp", false);
        OptionalInt intermediate = wide ? OptionalInt.of(2 * config.count("intermediate_size")) : OptionalInt.empty();
        if (config.has(OVERRIDES)) {
            FieldsJson own = layers.overrides(OVERRIDES, layer, List.of(HEAD_SIZE, KEY_VALUE_HEADS));
            return new LayerTraits.LayerSizes(
                    own.countOrNull(HEAD_SIZE), own.countOrNull(KEY_VALUE_HEADS), intermediate);
        }

        return full
                ? new LayerTraits.LayerSizes(
                        OptionalInt.of(config.count("global_head_dim", FULL_HEAD_SIZE)),
                        fullHeads(config),
                        intermediate)
                : new LayerTraits.LayerSizes(OptionalInt.empty(), OptionalInt.empty(), intermediate);
    }

    /** transformers looks at their number only where values are keys. */
    private static OptionalInt fullHeads(FieldsJson config) {
        return config.flag("attention_k_eq_v", false)
                ? config.countOrNull("num_global_key_value_heads")
                : OptionalInt.empty();
    }

    @Override
    public double theta() {
        return 1_000_000;
    }

    @Override
    public boolean tiedEmbeddings() {
        return true;
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(256);
    }
}
