package org.sparkqlora.weights.family;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The linear modules of a decoder layer, in the order in which their adapters lie in the flat vector. */
public enum Projection {
    /** Queries, keys and values in one. */
    FUSED_ATTENTION("self_attn.qkv_proj"),
    QUERY("self_attn.q_proj"),
    KEY("self_attn.k_proj"),
    VALUE("self_attn.v_proj"),
    OUTPUT("self_attn.o_proj"),
    /** Gate and up in one. */
    FUSED_GATE("mlp.gate_up_proj"),
    GATE("mlp.gate_proj"),
    UP("mlp.up_proj"),
    DOWN("mlp.down_proj"),
    /** Queries, keys and values of the gated delta rule. */
    DELTA_QUERY_KEY_VALUE("linear_attn.in_proj_qkv"),
    /** The gate of what the gated delta rule reads. */
    DELTA_GATE("linear_attn.in_proj_z"),
    DELTA_BETA("linear_attn.in_proj_b"),
    DELTA_DECAY("linear_attn.in_proj_a"),
    DELTA_OUTPUT("linear_attn.out_proj"),
    /** Gate and up in one, beside what experts would have. */
    SHARED_GATE("shared_mlp.input_linear"),
    SHARED_DOWN("shared_mlp.output_linear"),
    /** Makes the inputs of all layers of the embedded tokens, before the first layer and counted as its. */
    PER_LAYER_INPUTS("per_layer_model_projection"),
    PER_LAYER_GATE("per_layer_input_gate"),
    PER_LAYER_OUTPUT("per_layer_projection");

    private static final List<Projection> SEPARATE = List.of(QUERY, KEY, VALUE, OUTPUT);
    private static final List<Projection> FUSED = List.of(FUSED_ATTENTION, OUTPUT);
    private static final List<Projection> DELTA =
            List.of(DELTA_QUERY_KEY_VALUE, DELTA_GATE, DELTA_BETA, DELTA_DECAY, DELTA_OUTPUT);

    private final String moduleName;

    Projection(String moduleName) {
        this.moduleName = moduleName;
    }

    /** Those of layer {@code layer} of a model. */
    public static List<Projection> of(ModelConfig config, int layer) {
        List<Projection> mixing = switch (config.mixing(layer)) {
            case ATTENTION -> config.traits().fusedAttention() ? FUSED : ofAttention(config.keyValues(layer));
            case DELTA_NET -> DELTA;
        };
        List<Projection> feedForward = switch (config.layerTraits().get(layer).feedForward()) {
            case DENSE -> config.traits().feedForward().projections();
            case EXPERTS -> List.of(); // see ExpertMatrix
        };
        return Stream.of(mixing, feedForward, ofPerLayerInput(config, layer))
                .flatMap(List::stream)
                .toList();
    }

    private static List<Projection> ofAttention(KeyValues keyValues) {
        if (keyValues instanceof KeyValues.OfLayer) {
            return List.of(QUERY, OUTPUT);
        }

        return keyValues instanceof KeyValues.OneProjection ? List.of(QUERY, KEY, OUTPUT) : SEPARATE;
    }

    private static List<Projection> ofPerLayerInput(ModelConfig config, int layer) {
        if (config.traits().perLayer().isEmpty()) {
            return List.of();
        }

        return layer == 0
                ? List.of(PER_LAYER_INPUTS, PER_LAYER_GATE, PER_LAYER_OUTPUT)
                : List.of(PER_LAYER_GATE, PER_LAYER_OUTPUT);
    }

    /** Those that any layer of a model has. */
    public static List<Projection> of(ModelConfig config) {
        return IntStream.range(0, config.layers())
                .boxed()
                .flatMap(layer -> of(config, layer).stream())
                .distinct()
                .toList();
    }

    /** The module's path in layer {@code layer}, as Hugging Face names it. */
    public String path(int layer) {
        return this == PER_LAYER_INPUTS
                ? "model." + moduleName
                : String.format(Locale.ROOT, "model.layers.%d.%s", layer, moduleName);
    }

    /** Whether the module has a bias. */
    public boolean isBiased(ModelConfig config) {
        return switch (this) {
            case FUSED_ATTENTION, QUERY, KEY, VALUE -> config.traits().attentionBias();
            case OUTPUT -> config.traits().outputBias();
            case DELTA_QUERY_KEY_VALUE, DELTA_GATE, DELTA_BETA, DELTA_DECAY, DELTA_OUTPUT -> false;
            case PER_LAYER_INPUTS, PER_LAYER_GATE, PER_LAYER_OUTPUT -> false;
            case FUSED_GATE, GATE, UP, DOWN, SHARED_GATE, SHARED_DOWN ->
                config.traits().feedForwardBias();
        };
    }
}
