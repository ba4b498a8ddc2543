package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama with a bias on queries, keys and values. */
final class Qwen2Family implements ModelFamily {
    private static final int WINDOW = 4096;
    private static final int FULL_LAYERS = 28;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.unbiased(config).attentionBias(true, false).build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return windowed(config);
    }

    /** The layers of Qwen's families: windows only where {@code use_sliding_window} says so, and only above the first few. */
    static List<LayerTraits> windowed(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        if (!fields.flag("use_sliding_window", false)) {
            return config.alike(OptionalInt.empty());
        }

        int fullLayers = fields.integer("max_window_layers", FULL_LAYERS);
        List<String> kinds = config.kinds(layer -> layer < fullLayers ? LayerFieldsJson.FULL : LayerFieldsJson.SLIDING);
        return config.windowed(kinds, fields.countOrNull("sliding_window", WINDOW));
    }
}
