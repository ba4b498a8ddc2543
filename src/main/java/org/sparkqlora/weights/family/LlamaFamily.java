package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama 2 and 3 and their like. */
final class LlamaFamily implements ModelFamily {
    @Override
    public DecoderTraits traits(FieldsJson config) {
        return llama(config).build();
    }

    /** The traits of Llama, which other families change or add to. */
    static DecoderTraits.Builder llama(FieldsJson config) {
        return withAttentionBias(config).feedForwardBias(config.flag("mlp_bias", false));
    }

    /** The same of a family whose feed-forward part has no biases. */
    static DecoderTraits.Builder withAttentionBias(FieldsJson config) {
        boolean biased = config.flag("attention_bias", false);
        return unbiased(config).attentionBias(biased, biased);
    }

    /** The same of a family whose layers have no biases. */
    static DecoderTraits.Builder unbiased(FieldsJson config) {
        return DecoderTraits.builder().activation(Activation.read(config, "hidden_act", Activation.SILU));
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return config.alike(OptionalInt.empty());
    }
}
