package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** The windows of Qwen's families: only where {@code use_sliding_window} says so, and only in the layers above the first few. */
final class QwenWindows {
    private static final int WINDOW = 4096;
    private static final int FULL_LAYERS = 28;

    private QwenWindows() {}

    static List<LayerTraits> of(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        if (!fields.flag("use_sliding_window", false)) {
            return config.alike(OptionalInt.empty());
        }

        int fullLayers = fields.integer("max_window_layers", FULL_LAYERS);
        List<String> kinds = config.kinds(layer -> layer < fullLayers ? LayerFieldsJson.FULL : LayerFieldsJson.SLIDING);
        return config.windowed(kinds, fields.countOrNull("sliding_window", WINDOW));
    }
}
