package org.sparkqlora.weights.family;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** SmolLM 3: Llama that does not turn in every fourth layer. */
final class SmolLm3Family implements ModelFamily {
    private static final int INTERVAL = 4;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.llama(config).build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        int interval = fields.count("no_rope_layer_interval", INTERVAL);
        List<Boolean> turning = config.turning("no_rope_layers", layer -> (layer + 1) % interval != 0);
        boolean windows = fields.flag("use_sliding_window", false) && fields.has("sliding_window");
        List<String> kinds =
                config.kinds(layer -> windows && !turning.get(layer) ? LayerFieldsJson.SLIDING : LayerFieldsJson.FULL);
        OptionalInt window = fields.countOrNull("sliding_window");
        Optional<RotarySpec> rotary = Optional.of(config.rotary());
        List<LayerTraits> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(new LayerTraits(
                    kinds.get(layer).equals(LayerFieldsJson.SLIDING) ? window : OptionalInt.empty(),
                    turning.get(layer) ? rotary : Optional.empty()));
        }

        return layers;
    }

    @Override
    public double theta() {
        return 2_000_000;
    }

    @Override
    public boolean tiedEmbeddings() {
        return true;
    }
}
