package org.sparkqlora.model;

import org.sparkqlora.weights.ModelConfig;

/** Hugging Face's names of a decoder's tensors, and which of them a family has. */
final class TensorNames {
    static final String EMBEDDING = "model.embed_tokens.weight";
    static final String FINAL_NORM = "model.norm.weight";
    static final String HEAD = "lm_head.weight";

    private TensorNames() {}

    static String inputNorm(int layer) {
        return "model.layers.%d.input_layernorm.weight".formatted(layer);
    }

    static String postAttentionNorm(int layer) {
        return "model.layers.%d.post_attention_layernorm.weight".formatted(layer);
    }

    static String queryNorm(int layer) {
        return "model.layers.%d.self_attn.q_norm.weight".formatted(layer);
    }

    static String keyNorm(int layer) {
        return "model.layers.%d.self_attn.k_norm.weight".formatted(layer);
    }

    /** Qwen3 normalises each head of the queries and keys. */
    static boolean hasHeadNorms(ModelConfig config) {
        return config.modelType().equals("qwen3");
    }

    static boolean hasBias(ModelConfig config, Projection projection) {
        return switch (projection) {
            case QUERY, KEY, VALUE -> config.attentionBias();
            // Qwen2 has a bias on queries, keys and values only.
            case OUTPUT -> config.attentionBias() && !config.modelType().equals("qwen2");
            case GATE, UP, DOWN -> config.mlpBias();
        };
    }
}
