package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama with a norm over each head of queries and keys. */
final class Qwen3Family implements ModelFamily {
    @Override
    public String modelType() {
        return "qwen3";
    }

    @Override
    public DecoderTraits traits(FieldsJson config) {
        boolean biased = config.flag("attention_bias", false);
        return DecoderTraits.builder()
                .activation(Activation.read(config, "hidden_act", Activation.SILU))
                .attentionBias(biased, biased)
                .queryKeyNorm(QueryKeyNorm.EACH_HEAD)
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return QwenWindows.of(config);
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(128);
    }
}
