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
 * @param feedForward what its second part is
 */
public record LayerTraits(
        OptionalInt window,
        Optional<RotarySpec> rotary,
        TokenMixing mixing,
        LayerSizes sizes,
        KeyValues keyValues,
        FeedForwardKind feedForward) {
    /** A layer with one feed-forward part for all tokens. */
    public LayerTraits(
            OptionalInt window,
            Optional<RotarySpec> rotary,
            TokenMixing mixing,
            LayerSizes sizes,
            KeyValues keyValues) {
        this(window, rotary, mixing, sizes, keyValues, FeedForwardKind.DENSE);
    }

    /** A layer of attention. */
    public LayerTraits(OptionalInt window, Optional<RotarySpec> rotary) {
        this(window, rotary, TokenMixing.ATTENTION, LayerSizes.OF_MODEL, new KeyValues.Projected());
    }

    /** This layer with experts. */
    LayerTraits withExperts() {
        return new LayerTraits(window, rotary, mixing, sizes, keyValues, FeedForwardKind.EXPERTS);
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

    /** The kind of a layer's feed-forward part. */
    public enum FeedForwardKind {
        /** One for all tokens. */
        DENSE,
        /** A {@link Mixture}. */
        EXPERTS
    }

    /**
     * Sizes of one layer; empty ones are those of the model.
     *
     * @param headSize width of a head
     * @param keyValueHeads key and value heads
     * @param intermediateSize width of the feed-forward part
     */
    public record LayerSizes(OptionalInt headSize, OptionalInt keyValueHeads, OptionalInt intermediateSize) {
        /** All those of the model. */
        static final LayerSizes OF_MODEL =
                new LayerSizes(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());
    }
}
