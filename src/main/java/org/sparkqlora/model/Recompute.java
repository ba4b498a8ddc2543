package org.sparkqlora.model;

/** What of a layer a pass computes again for its gradient instead of keeping it. The gradient is the same, bit for bit. */
public enum Recompute {
    /** The whole layer: only its input is kept. The least memory. */
    ALL,

    /** The probabilities of attention, which grow with the square of a document's length. */
    ATTENTION,

    /** Nothing. The least time. */
    NONE
}
