package org.sparkqlora.weights.family;

import java.util.List;
import java.util.Locale;
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
    /** Gate and up in one, beside what experts would have. */
    SHARED_GATE("shared_mlp.input_linear"),
    SHARED_DOWN("shared_mlp.output_linear");

    private static final List<Projection> SEPARATE = List.of(QUERY, KEY, VALUE, OUTPUT);
    private static final List<Projection> FUSED = List.of(FUSED_ATTENTION, OUTPUT);

    private final String moduleName;

    Projection(String moduleName) {
        this.moduleName = moduleName;
    }

    /** Those that the layers of a model have. */
    public static List<Projection> of(ModelConfig config) {
        List<Projection> attention = config.traits().fusedAttention() ? FUSED : SEPARATE;
        return Stream.concat(attention.stream(), config.traits().feedForward().projections().stream())
                .toList();
    }

    /** The module's path in layer {@code layer}, as Hugging Face names it. */
    public String path(int layer) {
        return String.format(Locale.ROOT, "model.layers.%d.%s", layer, moduleName);
    }

    /** Whether the module has a bias. */
    public boolean isBiased(ModelConfig config) {
        return switch (this) {
            case FUSED_ATTENTION, QUERY, KEY, VALUE -> config.traits().attentionBias();
            case OUTPUT -> config.traits().outputBias();
            case FUSED_GATE, GATE, UP, DOWN, SHARED_GATE, SHARED_DOWN ->
                config.traits().feedForwardBias();
        };
    }
}
