package org.sparkqlora.weights.family;

import java.util.List;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama with a sliding window, which some layers of Ministral 8B do not have. */
final class MistralFamily implements ModelFamily {
    private static final int WINDOW = 4096;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.unbiased(config).build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        List<String> kinds = config.kinds(layer -> LayerFieldsJson.SLIDING);
        return config.windowed(kinds, config.fields().countOrNull("sliding_window", WINDOW));
    }
}
