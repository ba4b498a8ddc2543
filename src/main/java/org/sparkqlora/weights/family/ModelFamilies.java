package org.sparkqlora.weights.family;

import java.util.List;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** The families that can be computed. */
final class ModelFamilies {
    private static final List<ModelFamily> ALL = List.of(
            new LlamaFamily(),
            new MistralFamily(),
            new Ministral3Family(),
            new Qwen2Family(),
            new Qwen3Family(),
            new Qwen3MoeFamily(),
            new Qwen35Family(),
            new Gemma2Family(),
            new Gemma3TextFamily(),
            Gemma4Family.text(),
            Gemma4Family.unifiedText(),
            new GptOssFamily(),
            new GraniteFamily(),
            new GraniteHybridFamily(),
            new Olmo2Family(),
            new Olmo3Family(),
            new Phi3Family(),
            new SmolLm3Family());

    private ModelFamilies() {}

    /** The family that {@code config} names. */
    static ModelFamily of(FieldsJson config) {
        String modelType = config.text("model_type");
        return ALL.stream()
                .filter(family -> family.modelType().equals(modelType))
                .findFirst()
                .orElseThrow(() -> config.unsupported("model_type", modelType, names()));
    }

    private static String names() {
        return String.join(", ", ALL.stream().map(ModelFamily::modelType).toList());
    }
}
