package org.sparkqlora.weights.family;

import java.util.OptionalInt;

/**
 * Sizes of one layer; empty ones are those of the model.
 *
 * @param headSize width of a head
 * @param keyValueHeads key and value heads
 * @param intermediateSize width of the feed-forward part
 */
public record LayerSizes(OptionalInt headSize, OptionalInt keyValueHeads, OptionalInt intermediateSize) {
    /** All those of the model. */
    static final LayerSizes OF_MODEL = new LayerSizes(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());
}
