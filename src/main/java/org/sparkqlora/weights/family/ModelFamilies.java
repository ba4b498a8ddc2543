package org.sparkqlora.weights.family;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** The families that can be computed, by their {@code model_type}. */
final class ModelFamilies {
    private static final Map<String, ModelFamily> ALL = all();

    private ModelFamilies() {}

    private static Map<String, ModelFamily> all() {
        Map<String, ModelFamily> all = new LinkedHashMap<>();
        all.put("llama", new LlamaFamily());
        all.put("mistral", new MistralFamily());
        all.put("ministral", new MistralFamily());
        all.put("ministral3", new Ministral3Family());
        all.put("qwen2", new Qwen2Family());
        all.put("qwen3", new Qwen3Family());
        all.put("qwen3_moe", new Qwen3MoeFamily());
        all.put("qwen3_5_text", new Qwen35Family());
        all.put("gemma2", new Gemma2Family());
        all.put("gemma3_text", new Gemma3TextFamily());
        all.put("gemma4_text", Gemma4Family.text());
        all.put("gemma4_unified_text", Gemma4Family.unifiedText());
        all.put("gpt_oss", new GptOssFamily());
        all.put("granite", new GraniteFamily());
        all.put("granitemoehybrid", new GraniteHybridFamily());
        all.put("olmo2", new Olmo2Family());
        all.put("olmo3", new Olmo3Family());
        all.put("phi3", new Phi3Family());
        all.put("smollm3", new SmolLm3Family());
        return all;
    }

    /** The family that {@code config} names. */
    static ModelFamily of(FieldsJson config) {
        String modelType = config.text("model_type");
        ModelFamily family = ALL.get(modelType);
        if (family == null) {
            throw config.unsupported("model_type", modelType, String.join(", ", ALL.keySet()));
        }

        return family;
    }
}
