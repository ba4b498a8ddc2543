package org.sparkqlora.weights;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.TextConfigJson;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.PythonJson;

/** Writes {@code config.json} of a text model, with and without what transformers needs to load it in four bits. */
final class QuantizedConfigJson {
    private static final String QUANTIZATION = "quantization_config";

    private QuantizedConfigJson() {}

    /** The text for a model whose own config is {@code text}, quantised by {@code spec}. */
    static String write(String document, String text, QuantSpec spec) {
        FieldsJson fields = TextConfigJson.of(FieldsJson.parse(document, text));
        String computeType = fields.text("dtype", fields.text("torch_dtype", "float32"));
        ObjectNode root = fields.node();
        ObjectNode quantization = root.putObject(QUANTIZATION);
        quantization.put("_load_in_4bit", true);
        quantization.put("_load_in_8bit", false);
        quantization.put("bnb_4bit_compute_dtype", computeType);
        quantization.put("bnb_4bit_quant_storage", "uint8");
        quantization.put("bnb_4bit_quant_type", spec.code().optionName());
        quantization.put("bnb_4bit_use_double_quant", spec.doubleQuant());
        quantization.put("llm_int8_enable_fp32_cpu_offload", false);
        quantization.put("llm_int8_has_fp16_weight", false);
        quantization.putArray("llm_int8_skip_modules").add("lm_head");
        quantization.put("llm_int8_threshold", 6.0);
        quantization.put("load_in_4bit", true);
        quantization.put("load_in_8bit", false);
        quantization.put("quant_method", "bitsandbytes");
        return PythonJson.text(root) + "\n";
    }

    /** The text for the same model without quantisation; what {@code changed} has otherwise than {@code own} is replaced. */
    static String writePlain(String document, String text, ModelConfig own, ModelConfig changed) {
        ObjectNode root = TextConfigJson.of(FieldsJson.parse(document, text)).node();
        root.remove(QUANTIZATION);
        if (changed.vocabularySize() != own.vocabularySize()) {
            root.put("vocab_size", changed.vocabularySize());
        }

        if (changed.tiedEmbeddings() != own.tiedEmbeddings()) {
            root.put("tie_word_embeddings", changed.tiedEmbeddings());
        }

        return PythonJson.text(root) + "\n";
    }
}
