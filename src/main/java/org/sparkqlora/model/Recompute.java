package org.sparkqlora.model;

/**
 * Activation checkpointing: the part of a layer that is computed again for the gradient instead of being kept. The gradient is the same,
 * bit for bit.
 */
public enum Recompute {
    /** The whole layer, whose input is kept in a scratch file. The least memory. */
    OFFLOAD,

    /** The whole layer: only its input is kept. */
    ALL,

    /** The probabilities of attention, which grow with the square of a document's length. */
    ATTENTION,

    /** Nothing. The least time. */
    NONE;

    /** Whether a layer is computed again as a whole. */
    public boolean isOfWholeLayers() {
        return this == OFFLOAD || this == ALL;
    }
}
