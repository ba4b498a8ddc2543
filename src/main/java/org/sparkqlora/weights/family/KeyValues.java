package org.sparkqlora.weights.family;

/** The source of a layer's keys and values. */
public sealed interface KeyValues {
    /** A projection for keys and one for values. */
    record Projected() implements KeyValues {}

    /** One projection for both: values are its outputs, keys the same after a norm and turned. */
    record OneProjection() implements KeyValues {}

    /** Those of an earlier layer. */
    record OfLayer(int layer) implements KeyValues {}
}
