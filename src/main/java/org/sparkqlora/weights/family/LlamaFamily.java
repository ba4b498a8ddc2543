package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama 2 and 3 and their like. */
final class LlamaFamily implements ModelFamily {
    @Override
    public String modelType() {
        return "llama";
    }

    @Override
    public DecoderTraits traits(FieldsJson config) {
        boolean biased = config.flag("attention_bias", false);
        return DecoderTraits.builder()
                .activation(Activation.read(config, "hidden_act", Activation.SILU))
                .attentionBias(biased, biased)
                .feedForwardBias(config.flag("mlp_bias", false))
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return config.alike(OptionalInt.empty());
    }
}
