package org.sparkqlora.weights.gguf;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.sparkqlora.weights.family.DecoderTensors;

/** One table of tensor names in GGUF files and in Hugging Face's, read in both directions. */
final class GgufNames {
    static final String EMBEDDING = "token_embd.weight";
    static final String HEAD = "output.weight";

    /** Factors on the wave lengths of a scaled rotation: no weight, but a way to write the scaling down. */
    static final String ROTARY_FACTORS = "rope_freqs.weight";

    private static final Map<String, String> OUTER = Map.of(
            EMBEDDING, DecoderTensors.EMBEDDING, "output_norm.weight", DecoderTensors.NORM, HEAD, DecoderTensors.HEAD);
    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\.(\\w+)\\.(weight|bias)");
    private static final Pattern HUGGING_FACE_LAYER =
            Pattern.compile("model\\.layers\\.(\\d{1,6})\\.([\\w.]+)\\.(weight|bias)");
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

    /** Those that mean another module in one family than in the others. */
    private static final List<String> BY_FAMILY = List.of("post_attention_norm", "ffn_norm", "ffn_up");

    /** By layer, tensors of none first, and then by name. */
    static final Comparator<GgufStream.Tensor> BY_LAYER = Comparator.<GgufStream.Tensor>comparingInt(
                    tensor -> layerOf(tensor.name()))
            .thenComparing(GgufStream.Tensor::name);

    private GgufNames() {}

    private static int layerOf(String name) {
        Matcher layer = LAYER.matcher(name);
        return layer.matches() ? Integer.parseInt(layer.group(1)) : -1;
    }

    /** Hugging Face's name, if the families here have such a tensor. */
    static Optional<String> huggingFace(GgufArchitecture architecture, String name) {
        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return Optional.ofNullable(OUTER.get(name));
        }

        return module(architecture, layer.group(2))
                .map(module -> "model.layers.%s.%s.%s".formatted(layer.group(1), module, layer.group(3)));
    }

    /** GGUF's name of a tensor that Hugging Face calls {@code name}, the inverse of {@link #huggingFace}. */
    static Optional<String> gguf(GgufArchitecture architecture, String name) {
        Matcher layer = HUGGING_FACE_LAYER.matcher(name);
        if (!layer.matches()) {
            return OUTER.entrySet().stream()
                    .filter(entry -> entry.getValue().equals(name))
                    .map(Map.Entry::getKey)
                    .findFirst();
        }

        return Stream.concat(INNER.keySet().stream(), BY_FAMILY.stream())
                .filter(inner -> module(architecture, inner).equals(Optional.of(layer.group(2))))
                .map(inner -> "blk.%s.%s.%s".formatted(layer.group(1), inner, layer.group(3)))
                .findFirst();
    }

    private static Optional<String> module(GgufArchitecture architecture, String name) {
        boolean normsAfter = architecture.isGemma() || architecture == GgufArchitecture.OLMO2;
        return switch (name) {
            case "post_attention_norm" -> normsAfter ? Optional.of("post_attention_layernorm") : Optional.empty();
            case "ffn_norm" -> feedForwardNorm(architecture);
            case "ffn_up" -> Optional.of(architecture == GgufArchitecture.PHI3 ? "mlp.gate_up_proj" : "mlp.up_proj");
            default -> Optional.ofNullable(INNER.get(name));
        };
    }

    private static Optional<String> feedForwardNorm(GgufArchitecture architecture) {
        return switch (architecture) {
            case GEMMA2, GEMMA3 -> Optional.of("pre_feedforward_layernorm");
            case OLMO2 -> Optional.empty();
            case LLAMA, QWEN2, QWEN3, GRANITE, PHI3, SMOLLM3 -> Optional.of("post_attention_layernorm");
        };
    }
}
