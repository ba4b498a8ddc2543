package org.sparkqlora.weights.family;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.sparkqlora.weights.safetensors.FieldsJson;

/**
 * The config of a text model, which models that see images keep as {@code text_config} within theirs. What both may say and the inner does
 * not, the outer says.
 */
public final class TextConfigJson {
    private static final String TEXT = "text_config";
    private static final String TYPE = "model_type";

    /** The types that see images, and that of the text model where it does not say its own. */
    private static final Map<String, String> OUTER = Map.of(
            "mistral3", "mistral",
            "qwen3_5", "qwen3_5_text",
            "gemma4", "gemma4_text",
            "gemma4_unified", "gemma4_unified_text");

    private static final Map<String, String> CLASSES = Map.of(
            "mistral", "MistralForCausalLM",
            "ministral3", "Ministral3ForCausalLM",
            "qwen3_5_text", "Qwen3_5ForCausalLM",
            "gemma4_text", "Gemma4ForCausalLM",
            "gemma4_unified_text", "Gemma4UnifiedForCausalLM");

    private static final List<String> SHARED = List.of(
            "dtype",
            "torch_dtype",
            "tie_word_embeddings",
            "quantization_config",
            "eos_token_id",
            "bos_token_id",
            "pad_token_id",
            "transformers_version");

    private TextConfigJson() {}

    /** The fields of the text model's own config. */
    public static FieldsJson of(FieldsJson config) {
        String absent = OUTER.get(config.text(TYPE));
        if (absent == null || !config.has(TEXT)) {
            return config;
        }

        FieldsJson text = config.object(TEXT);
        ObjectNode node = text.node();
        String type = text.text(TYPE, absent);
        node.put(TYPE, type);
        if (CLASSES.containsKey(type)) {
            node.putArray("architectures").add(CLASSES.get(type));
        }

        for (String key : SHARED) {
            if (!text.has(key) && config.has(key)) {
                node.set(key, config.node().get(key));
            }
        }

        return text;
    }
}
