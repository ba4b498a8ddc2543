package org.sparkqlora.weights.family;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Ministral 3: Mistral with a factor on queries that grows with the position, and a window only where the config names one. */
final class Ministral3Family implements ModelFamily {
    /** The rotary embedding where the config names none. */
    private static final RotarySpec ROTARY = new RotarySpec(
                    1_000_000, new RotaryScaling.Yarn(16, 1, 32, 1, 16_384, true))
            .withQueryScaling(new RotarySpec.QueryScaling(0.1, 16_384));

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.unbiased(config).build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        OptionalInt window = config.fields().countOrNull("sliding_window");
        return Collections.nCopies(config.layers(), new LayerTraits(window, Optional.of(rotary(config))));
    }

    private static RotarySpec rotary(LayerFieldsJson config) {
        FieldsJson parameters = RotaryJson.parameters(config.fields());
        if (parameters.isEmpty()) {
            return ROTARY;
        }

        RotarySpec rotary = config.rotary();
        return parameters.has("llama_4_scaling_beta")
                ? rotary.withQueryScaling(new RotarySpec.QueryScaling(
                        parameters.number("llama_4_scaling_beta"),
                        parameters.count("original_max_position_embeddings")))
                : rotary;
    }

    @Override
    public double normEpsilon() {
        return 1e-5;
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(128);
    }
}
