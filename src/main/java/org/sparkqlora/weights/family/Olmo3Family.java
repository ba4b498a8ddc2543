package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** OLMo 3: OLMo 2 with a window in three of four layers, whose waves no longer context stretches. */
final class Olmo3Family implements ModelFamily {
    private static final int WINDOW = 4096;
    private static final int INTERVAL = 4;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return Olmo2Family.olmo(config);
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        RotarySpec full = config.fullRotary();
        OptionalInt window = fields.countOrNull("sliding_window", WINDOW);
        RotarySpec sliding = config.unscaledRotaryOf(LayerFieldsJson.SLIDING, fields.number("rope_theta", theta()));
        return config.windowed(config.kindsFullEvery(INTERVAL), window, full, sliding);
    }

    @Override
    public double theta() {
        return 500_000;
    }

    @Override
    public double normEpsilon() {
        return 1e-5;
    }
}
