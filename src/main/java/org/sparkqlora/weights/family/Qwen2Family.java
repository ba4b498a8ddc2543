package org.sparkqlora.weights.family;

import java.util.List;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama with a bias on queries, keys and values. */
final class Qwen2Family implements ModelFamily {
    @Override
    public DecoderTraits traits(FieldsJson config) {
        return DecoderTraits.builder()
                .activation(Activation.read(config, "hidden_act", Activation.SILU))
                .attentionBias(true, false)
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return QwenWindows.of(config);
    }
}
