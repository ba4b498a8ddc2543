package org.sparkqlora.weights.family;

import java.util.List;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Phi 3: queries, keys and values are one module, and gate and up another. Its long contexts (longrope) are not computed. */
final class Phi3Family implements ModelFamily {
    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.unbiased(config)
                .fusedAttention()
                .feedForward(FeedForwardModules.FUSED)
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        requirePlainRotary(config.fields());
        return config.alike(config.fields().countOrNull("sliding_window"));
    }

    /** Phi's older files say yarn or su and mean longrope. */
    private static void requirePlainRotary(FieldsJson fields) {
        FieldsJson rotary = RotaryJson.parameters(fields);
        String type = rotary.text("rope_type", rotary.text("type", "default"));
        if (!type.equals("default")) {
            throw fields.unsupported("rope_type", type, "default");
        }
    }

    @Override
    public double normEpsilon() {
        return 1e-5;
    }
}
