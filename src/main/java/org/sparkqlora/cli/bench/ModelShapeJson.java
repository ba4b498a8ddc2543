package org.sparkqlora.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** {@code config.json} of a model of a named shape. */
final class ModelShapeJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ModelShapeJson() {}

    static String config(ModelShape shape) {
        ObjectNode root = MAPPER.createObjectNode();
        root.putArray("architectures").add("LlamaForCausalLM");
        root.put("model_type", "llama");
        root.put("vocab_size", shape.vocabulary());
        root.put("hidden_size", shape.hidden());
        root.put("intermediate_size", shape.intermediate());
        root.put("num_hidden_layers", shape.layers());
        root.put("num_attention_heads", shape.heads());
        root.put("num_key_value_heads", shape.keyValueHeads());
        root.put("hidden_act", "silu");
        root.put("max_position_embeddings", 8192);
        root.put("rms_norm_eps", 1e-5);
        root.put("rope_theta", 10000.0);
        root.put("tie_word_embeddings", shape.tied());
        root.put("eos_token_id", 2);
        root.put("torch_dtype", "bfloat16");
        return root.toPrettyString();
    }
}
