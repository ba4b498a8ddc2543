package org.sparkqlora.weights.family;

import java.util.List;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama with a sliding window. */
final class MistralFamily implements ModelFamily {
    private static final int WINDOW = 4096;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.unbiased(config).build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return config.alike(config.fields().countOrNull("sliding_window", WINDOW));
    }
}
