package org.sparkqlora.weights.family;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Properties that may differ between the layers of one model.
 *
 * @param window tokens that a token sees, itself included; empty for all before it
 * @param rotary how queries and keys are turned; empty where they are not
 * @param mixing what brings tokens together
 * @param sizes those that are not the model's
 * @param keyValues where keys and values of attention come from
 */
public record LayerTraits(
        OptionalInt window, Optional<RotarySpec> rotary, TokenMixing mixing, LayerSizes sizes, KeyValues keyValues) {
    /** A layer of attention. */
    public LayerTraits(OptionalInt window, Optional<RotarySpec> rotary) {
        this(window, rotary, TokenMixing.ATTENTION, LayerSizes.OF_MODEL, new KeyValues.Projected());
    }

    /** A layer of the gated delta rule, which has no use for positions. */
    static LayerTraits deltaNet() {
        return new LayerTraits(
                OptionalInt.empty(),
                Optional.empty(),
                TokenMixing.DELTA_NET,
                LayerSizes.OF_MODEL,
                new KeyValues.Projected());
    }
}
