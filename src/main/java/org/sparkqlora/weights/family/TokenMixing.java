package org.sparkqlora.weights.family;

/** The operation that brings the tokens of a document together in a layer. */
public enum TokenMixing {
    ATTENTION,
    /** The gated delta rule, whose state is as large after many tokens as after one. */
    DELTA_NET
}
