package org.sparkqlora.weights.gguf;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Hugging Face's names of GGUF tensors. */
final class GgufNames {
    static final String EMBEDDING = "token_embd.weight";
    static final String HEAD = "output.weight";

    /** Factors on the wave lengths of a scaled rotation: no weight, but a way to write the scaling down. */
    static final String ROTARY_FACTORS = "rope_freqs.weight";

    private static final Map<String, String> OUTER = Map.of(
            EMBEDDING, "model.embed_tokens.weight", "output_norm.weight", "model.norm.weight", HEAD, "lm_head.weight");
    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\.(\\w+)\\.(weight|bias)");
    private static final Map<String, String> INNER = Map.ofEntries(
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_qkv", "self_attn.qkv_proj"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"),
            Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_down", "mlp.down_proj"),
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("post_ffw_norm", "post_feedforward_layernorm"));

    private GgufNames() {}

    /** The name, if the families here have such a tensor. */
    static Optional<String> huggingFace(GgufArchitecture architecture, String name) {
        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return Optional.ofNullable(OUTER.get(name));
        }

        return module(architecture, layer.group(2))
                .map(module -> "model.layers.%s.%s.%s".formatted(layer.group(1), module, layer.group(3)));
    }

    /** Names that mean another module in one family than in the others. */
    private static Optional<String> module(GgufArchitecture architecture, String name) {
        boolean normsAfter = architecture.isGemma() || architecture == GgufArchitecture.OLMO2;
        return switch (name) {
            case "post_attention_norm" -> normsAfter ? Optional.of("post_attention_layernorm") : Optional.empty();
            case "ffn_norm" ->
                Optional.of(architecture.isGemma() ? "pre_feedforward_layernorm" : "post_attention_layernorm");
            case "ffn_up" -> Optional.of(architecture == GgufArchitecture.PHI3 ? "mlp.gate_up_proj" : "mlp.up_proj");
            default -> Optional.ofNullable(INNER.get(name));
        };
    }
}
