package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkqlora.weights.safetensors.PythonJson;

/** Writes the {@code config.json} that a GGUF file stands for. */
final class GgufConfigJson {
    private static final double DEFAULT_EPSILON = 1e-5;
    private static final double WINDOWED_THETA = 10000;
    private static final String SLIDING = "sliding_attention";
    private static final String WINDOW_PATTERN = "attention.sliding_window_pattern";

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final GgufShape shape;
    private final GgufArchitecture architecture;
    private final ObjectNode root = JsonNodeFactory.instance.objectNode();

    private GgufConfigJson(GgufFile file, GgufShape shape) {
        this.file = file;
        this.metadata = file.metadata();
        this.shape = shape;
        this.architecture = shape.architecture();
    }

    /** The text of {@code config.json}. */
    static String write(GgufFile file, GgufShape shape) {
        return new GgufConfigJson(file, shape).text();
    }

    private String text() {
        GgufArchitecture named = isPlainMistral() ? GgufArchitecture.LLAMA : architecture;
        root.putArray("architectures").add(named.className());
        root.put("model_type", named.modelType());
        root.put("torch_dtype", shape.storedType().torchName());
        putSizes();
        root.put("rms_norm_eps", number("attention.layer_norm_rms_epsilon", DEFAULT_EPSILON));
        GgufRotaryJson rotary = new GgufRotaryJson(file, shape);
        if (architecture == GgufArchitecture.GEMMA4) {
            new GgufGemma4Json(file, shape).put(root);
        } else if (hasParameters()) {
            root.set("rope_parameters", rotary.parameters());
        } else {
            root.put("rope_theta", rotary.theta());
            root.set("rope_scaling", rotary.scaling().orElse(null));
        }

        root.put("attention_bias", shape.attentionBias());
        root.put("mlp_bias", shape.feedForwardBias());
        root.put("tie_word_embeddings", shape.tiedEmbeddings());
        putFamily();
        putToken("bos_token_id", "bos");
        putToken("eos_token_id", "eos");
        putToken("pad_token_id", "padding");
        return PythonJson.text(root) + "\n";
    }

    /** Mistral Small 3 is in files of this name too. */
    private boolean isPlainMistral() {
        return architecture == GgufArchitecture.MISTRAL3
                && !metadata.has(architecture.key("attention.temperature_scale"));
    }

    /** Families of transformers 5, which reads their rotation in its own form only. */
    private boolean hasParameters() {
        return switch (architecture) {
            case MISTRAL3 -> !isPlainMistral();
            case QWEN35 -> true;
            case LLAMA,
                    QWEN2,
                    QWEN3,
                    QWEN3_MOE,
                    GEMMA2,
                    GEMMA3,
                    GRANITE,
                    GRANITE4,
                    OLMO2,
                    OLMO3,
                    PHI3,
                    SMOLLM3,
                    GEMMA4 -> false;
        };
    }

    private void putSizes() {
        root.put("vocab_size", shape.vocabularySize());
        root.put("hidden_size", shape.hiddenSize());
        root.put(
                "intermediate_size",
                architecture == GgufArchitecture.GEMMA4
                        ? GgufGemma4Json.intermediateSize(metadata)
                        : count("feed_forward_length"));
        root.put("num_hidden_layers", count("block_count"));
        root.put("num_attention_heads", shape.heads());
        root.put("num_key_value_heads", shape.keyValueHeads());
        root.put("head_dim", shape.headSize());
        root.put("max_position_embeddings", count("context_length"));
    }

    private void putFamily() {
        if (!architecture.isGemma() && architecture != GgufArchitecture.GEMMA4) {
            root.put("hidden_act", "silu");
        }

        switch (architecture) {
            case LLAMA, QWEN2, QWEN3, SMOLLM3, OLMO2, GEMMA4 -> {} // all is said
            case MISTRAL3 -> root.putNull("sliding_window");
            case GEMMA2 -> putGemma2();
            case GEMMA3 -> putGemma3();
            case GRANITE, GRANITE4 -> putGranite();
            case OLMO3 -> putOlmo3();
            case QWEN35 -> putQwen35();
            case QWEN3_MOE -> putExperts();
            case PHI3 -> putPhi3();
        }
    }

    private void putGemma2() {
        putGemma();
        putCap("attn_logit_softcapping");
    }

    private void putGemma3() {
        putGemma();
        root.put("rope_local_base_freq", number("rope.freq_base_swa", WINDOWED_THETA));
        String pattern = architecture.key(WINDOW_PATTERN);
        if (metadata.hasList(pattern)) {
            putKinds(metadata.flags(pattern), SLIDING);
        } else if (metadata.has(pattern)) {
            root.put("sliding_window_pattern", metadata.count(pattern));
        }
    }

    private void putGemma() {
        root.put("hidden_activation", "gelu_pytorch_tanh");
        root.put("query_pre_attn_scalar", attentionScalar());
        root.put("sliding_window", count(GgufArchitecture.WINDOW));
        putCap("final_logit_softcapping");
    }

    /** The head size; the largest models of both generations divide by another number, which no key says. */
    private int attentionScalar() {
        int largest = architecture == GgufArchitecture.GEMMA2 ? 46 : 62;
        return count("block_count") == largest ? shape.hiddenSize() / shape.heads() : shape.headSize();
    }

    /** Nothing is capped where the file has no such key. */
    private void putCap(String name) {
        if (metadata.has(architecture.key(name))) {
            root.put(name, number(name, 0));
        } else {
            root.putNull(name);
        }
    }

    private void putKinds(List<Boolean> others, String other) {
        ArrayNode kinds = root.putArray("layer_types");
        others.forEach(each -> kinds.add(each ? other : "full_attention"));
    }

    private void putOlmo3() {
        root.put("sliding_window", count(GgufArchitecture.WINDOW));
        String pattern = architecture.key(WINDOW_PATTERN);
        List<Boolean> windowed = metadata.hasList(pattern)
                ? metadata.flags(pattern)
                : allBut(metadata.optionalInt(pattern).orElse(GgufArchitecture.FULL_ATTENTION_INTERVAL));
        putKinds(windowed, SLIDING);
    }

    private void putQwen35() {
        int valueHeads = count("ssm.time_step_rank");
        root.put("linear_conv_kernel_dim", count("ssm.conv_kernel"));
        root.put("linear_key_head_dim", count("ssm.state_size"));
        root.put("linear_num_key_heads", count("ssm.group_count"));
        root.put("linear_num_value_heads", valueHeads);
        root.put("linear_value_head_dim", count("ssm.inner_size") / valueHeads);
        String recurrent = architecture.key("attention.recurrent_layers");
        List<Boolean> linear = metadata.hasList(recurrent)
                ? metadata.flags(recurrent)
                : allBut(metadata.optionalInt(architecture.key("full_attention_interval"))
                        .orElse(GgufArchitecture.FULL_ATTENTION_INTERVAL));
        putKinds(linear, "linear_attention");
    }

    /** Of a token's experts, llama.cpp lets the weights sum to 1; no key says otherwise. */
    private void putExperts() {
        root.put("num_experts", count("expert_count"));
        root.put("num_experts_per_tok", count("expert_used_count"));
        root.put("moe_intermediate_size", count("expert_feed_forward_length"));
        root.put("norm_topk_prob", true);
    }

    /** All layers but every {@code interval}-th. */
    private List<Boolean> allBut(int interval) {
        return IntStream.rangeClosed(1, count("block_count"))
                .mapToObj(layer -> interval == 0 || layer % interval != 0)
                .toList();
    }

    private void putGranite() {
        root.put("embedding_multiplier", number("embedding_scale", 1));
        root.put("residual_multiplier", number("residual_scale", 1));
        root.put("attention_multiplier", number("attention.scale", 1 / Math.sqrt(shape.headSize())));
        root.put("logits_scaling", number("logit_scale", 1));
    }

    /** A window of 0 is none. */
    private void putPhi3() {
        int window =
                metadata.optionalInt(architecture.key(GgufArchitecture.WINDOW)).orElse(0);
        if (window > 0) {
            root.put("sliding_window", window);
        } else {
            root.putNull("sliding_window");
        }

        String original = architecture.key("rope.scaling.original_context_length");
        root.put(
                "original_max_position_embeddings",
                metadata.optionalInt(original).orElse(count("context_length")));
    }

    private void putToken(String field, String role) {
        metadata.optionalInt(GgufVocabulary.PREFIX + role + "_token_id").ifPresent(id -> root.put(field, id));
    }

    private int count(String name) {
        return metadata.count(architecture.key(name));
    }

    private double number(String name, double absent) {
        return metadata.number(architecture.key(name), absent);
    }
}
