package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.weights.PythonJson;

/** Writes the {@code config.json} that a GGUF file stands for. */
final class GgufConfigJson {
    private static final double DEFAULT_THETA = 10000;
    private static final double DEFAULT_EPSILON = 1e-5;

    private GgufConfigJson() {}

    static String write(GgufMetadata metadata, GgufShape shape) {
        String prefix = shape.architecture().label() + ".";
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.putArray("architectures").add(shape.architecture().className());
        root.put("model_type", shape.architecture().label());
        root.put("torch_dtype", shape.storedType().torchName());
        root.put("vocab_size", shape.vocabularySize());
        root.put("hidden_size", shape.hiddenSize());
        root.put("intermediate_size", metadata.count(prefix + "feed_forward_length"));
        root.put("num_hidden_layers", metadata.count(prefix + "block_count"));
        root.put("num_attention_heads", shape.heads());
        root.put("num_key_value_heads", shape.keyValueHeads());
        root.put("head_dim", shape.headSize());
        root.put("hidden_act", "silu");
        root.put("max_position_embeddings", metadata.count(prefix + "context_length"));
        root.put("rms_norm_eps", metadata.number(prefix + "attention.layer_norm_rms_epsilon", DEFAULT_EPSILON));
        root.put("rope_theta", metadata.number(prefix + "rope.freq_base", DEFAULT_THETA));
        putScaling(root, metadata, prefix + "rope.scaling.");
        root.put("attention_bias", shape.attentionBias());
        root.put("mlp_bias", false);
        root.put("tie_word_embeddings", shape.tiedEmbeddings());
        metadata.optionalInt("tokenizer.ggml.bos_token_id").ifPresent(id -> root.put("bos_token_id", id));
        metadata.optionalInt("tokenizer.ggml.eos_token_id").ifPresent(id -> root.put("eos_token_id", id));
        metadata.optionalInt("tokenizer.ggml.padding_token_id").ifPresent(id -> root.put("pad_token_id", id));
        return PythonJson.text(root) + "\n";
    }

    private static void putScaling(ObjectNode root, GgufMetadata metadata, String prefix) {
        String type = metadata.optionalText(prefix + "type").orElse("none");
        switch (type) {
            case "none" -> root.putNull("rope_scaling");
            case "linear" ->
                root.putObject("rope_scaling")
                        .put("rope_type", type)
                        .put("factor", metadata.number(prefix + "factor", 1));
            default -> throw metadata.wrong(prefix + "type", "none or linear");
        }
    }
}
