package org.sparkqlora.model;

/**
 * Activation checkpointing: the part of a layer that is computed again for the gradient instead of being kept. The gradient is the same,
 * bit for bit.
 */
public enum Recompute {
    /** The whole layer: only its input is kept. The least memory. */
    ALL,

    /** The probabilities of attention, which grow with the square of a document's length. */
    ATTENTION,

    /** Nothing. The least time. */
    NONE
}
