package org.sparkqlora.weights.gguf;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.PerLayerInput;

/** One table of tensor names in GGUF files and in Hugging Face's, read in both directions. */
final class GgufNames {
    static final String EMBEDDING = "token_embd.weight";
    static final String HEAD = "output.weight";

    /** Factors on the wave lengths of a scaled rotation: no weight, but a way to write the scaling down. */
    static final String ROTARY_FACTORS = "rope_freqs.weight";

    /** An embedding of tokens for each layer, and what makes it. */
    static final String PER_LAYER_EMBEDDING = "per_layer_token_embd.weight";

    static final String PER_LAYER_PROJECTION = "per_layer_model_proj.weight";

    private static final Map<String, String> OUTER = Map.of(
            EMBEDDING,
            DecoderTensors.EMBEDDING,
            "output_norm.weight",
            DecoderTensors.NORM,
            HEAD,
            DecoderTensors.HEAD,
            PER_LAYER_EMBEDDING,
            PerLayerInput.EMBEDDING,
            PER_LAYER_PROJECTION,
            "model.per_layer_model_projection.weight",
            "per_layer_proj_norm.weight",
            PerLayerInput.NORM);
    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,6})\\.");
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
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("post_ffw_norm", "post_feedforward_layernorm"));

    /** Those of a layer's own embedding of tokens. */
    private static final Map<String, String> PER_LAYER = Map.of(
            "inp_gate", "per_layer_input_gate",
            "proj", "per_layer_projection",
            "post_norm", "post_per_layer_input_norm");

    private static final Pattern SCALAR = Pattern.compile("blk\\.(\\d{1,6})\\.layer_output_scale\\.weight");
    private static final Pattern HUGGING_FACE_SCALAR = Pattern.compile("model\\.layers\\.(\\d{1,6})\\.layer_scalar");

    /** Those of the gated delta rule. */
    private static final Map<String, String> DELTA = Map.of(
            "attn_qkv", "linear_attn.in_proj_qkv",
            "attn_gate", "linear_attn.in_proj_z",
            "ssm_beta", "linear_attn.in_proj_b",
            "ssm_alpha", "linear_attn.in_proj_a",
            "ssm_conv1d", "linear_attn.conv1d",
            "ssm_norm", "linear_attn.norm",
            "ssm_out", "linear_attn.out_proj");

    /** Those of it that are no module's weight or bias. */
    private static final Map<String, String> DELTA_PARAMETERS =
            Map.of("ssm_a", "linear_attn.A_log", "ssm_dt.bias", "linear_attn.dt_bias");

    private static final Pattern DELTA_LAYER = Pattern.compile("blk\\.(\\d{1,6})\\.(ssm_a|ssm_dt\\.bias)");
    private static final Pattern HUGGING_FACE_DELTA_LAYER =
            Pattern.compile("model\\.layers\\.(\\d{1,6})\\.(linear_attn\\.(?:A_log|dt_bias))");

    /** Those that mean another module in one family than in the others. */
    private static final List<String> BY_FAMILY =
            List.of("post_attention_norm", "ffn_norm", "ffn_up", "ffn_down", "ffn_gate_inp");

    /** What becomes two tensors. */
    private static final Pattern FUSED =
            Pattern.compile("model\\.layers\\.(\\d{1,6})\\.shared_mlp\\.input_linear\\.weight");

    /** By layer, tensors of none first, and then by name. */
    static final Comparator<GgufStream.Tensor> BY_LAYER = Comparator.<GgufStream.Tensor>comparingInt(
                    tensor -> layerOf(tensor.name()))
            .thenComparing(GgufStream.Tensor::name);

    private GgufNames() {}

    private static int layerOf(String name) {
        Matcher block = BLOCK.matcher(name);
        return block.lookingAt() ? Integer.parseInt(block.group(1)) : -1;
    }

    /** Hugging Face's name, if the families here have such a tensor. */
    static Optional<String> huggingFace(GgufArchitecture architecture, String name) {
        Matcher parameter = DELTA_LAYER.matcher(name);
        if (architecture == GgufArchitecture.QWEN35 && parameter.matches()) {
            return Optional.of(
                    "model.layers.%s.%s".formatted(parameter.group(1), DELTA_PARAMETERS.get(parameter.group(2))));
        }

        Matcher scalar = SCALAR.matcher(name);
        if (architecture == GgufArchitecture.GEMMA4 && scalar.matches()) {
            return Optional.of(PerLayerInput.scalar(Integer.parseInt(scalar.group(1))));
        }

        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return Optional.ofNullable(OUTER.get(name));
        }

        return module(architecture, layer.group(2))
                .map(module -> "model.layers.%s.%s.%s".formatted(layer.group(1), module, layer.group(3)));
    }

    /** The tensors of GGUF that hold the one that Hugging Face calls {@code name}, one below the other; none if there are none. */
    static List<GgufPart> parts(GgufArchitecture architecture, String name) {
        Matcher fused = FUSED.matcher(name);
        if (architecture == GgufArchitecture.GRANITE4 && fused.matches()) {
            return List.of(
                    new GgufPart("blk.%s.ffn_gate.weight".formatted(fused.group(1)), 0, 2),
                    new GgufPart("blk.%s.ffn_up.weight".formatted(fused.group(1)), 1, 2));
        }

        return gguf(architecture, name).map(GgufPart::new).stream().toList();
    }

    /** GGUF's name of a tensor that Hugging Face calls {@code name}, the inverse of {@link #huggingFace}. */
    private static Optional<String> gguf(GgufArchitecture architecture, String name) {
        Matcher parameter = HUGGING_FACE_DELTA_LAYER.matcher(name);
        if (architecture == GgufArchitecture.QWEN35 && parameter.matches()) {
            return keyOf(DELTA_PARAMETERS, parameter.group(2))
                    .map(key -> "blk.%s.%s".formatted(parameter.group(1), key));
        }

        Matcher scalar = HUGGING_FACE_SCALAR.matcher(name);
        if (architecture == GgufArchitecture.GEMMA4 && scalar.matches()) {
            return Optional.of("blk.%s.layer_output_scale.weight".formatted(scalar.group(1)));
        }

        Matcher layer = HUGGING_FACE_LAYER.matcher(name);
        if (!layer.matches()) {
            return keyOf(OUTER, name);
        }

        return Stream.of(INNER.keySet(), DELTA.keySet(), PER_LAYER.keySet(), BY_FAMILY)
                .flatMap(Collection::stream)
                .filter(inner -> module(architecture, inner).equals(Optional.of(layer.group(2))))
                .map(inner -> "blk.%s.%s.%s".formatted(layer.group(1), inner, layer.group(3)))
                .findFirst();
    }

    private static Optional<String> keyOf(Map<String, String> names, String value) {
        return names.entrySet().stream()
                .filter(entry -> entry.getValue().equals(value))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private static Optional<String> module(GgufArchitecture architecture, String name) {
        if (DELTA.containsKey(name) && (architecture == GgufArchitecture.QWEN35 || !INNER.containsKey(name))) {
            return architecture == GgufArchitecture.QWEN35 ? Optional.ofNullable(DELTA.get(name)) : Optional.empty();
        }

        if (PER_LAYER.containsKey(name)) {
            return architecture == GgufArchitecture.GEMMA4
                    ? Optional.ofNullable(PER_LAYER.get(name))
                    : Optional.empty();
        }

        boolean normsAfter = architecture.isGemma()
                || architecture == GgufArchitecture.GEMMA4
                || architecture.isOlmo()
                || architecture == GgufArchitecture.QWEN35;
        return switch (name) {
            case "ffn_down" ->
                Optional.of(architecture == GgufArchitecture.GRANITE4 ? "shared_mlp.output_linear" : "mlp.down_proj");
            case "post_attention_norm" -> normsAfter ? Optional.of("post_attention_layernorm") : Optional.empty();
            case "ffn_norm" -> feedForwardNorm(architecture);
            case "ffn_gate_inp" ->
                architecture == GgufArchitecture.QWEN3_MOE ? Optional.of("mlp.gate") : Optional.empty();
            case "ffn_up" -> Optional.of(architecture == GgufArchitecture.PHI3 ? "mlp.gate_up_proj" : "mlp.up_proj");
            default -> Optional.ofNullable(INNER.get(name));
        };
    }

    private static Optional<String> feedForwardNorm(GgufArchitecture architecture) {
        return switch (architecture) {
            case GEMMA2, GEMMA3, GEMMA4 -> Optional.of("pre_feedforward_layernorm");
            case OLMO2, OLMO3, QWEN35 -> Optional.empty();
            case LLAMA, QWEN2, QWEN3, QWEN3_MOE, GRANITE, GRANITE4, PHI3, SMOLLM3, MISTRAL3 ->
                Optional.of("post_attention_layernorm");
        };
    }
}
