package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Granite 3: Llama with a factor on embeddings, residual branches, scores and logits. */
final class GraniteFamily implements ModelFamily {
    @Override
    public DecoderTraits traits(FieldsJson config) {
        return granite(config).build();
    }

    /** The traits that Granite 3 and 4 share. */
    static DecoderTraits.Builder granite(FieldsJson config) {
        return LlamaFamily.llama(config)
                .embeddingMultiplier(config.number("embedding_multiplier", 1))
                .residualMultiplier(config.number("residual_multiplier", 1))
                .attentionScale(config.number("attention_multiplier", 1))
                .logitMultiplier(1 / config.number("logits_scaling", 1));
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return config.alike(OptionalInt.empty());
    }
}
