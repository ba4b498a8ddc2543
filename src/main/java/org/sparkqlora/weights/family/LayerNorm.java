package org.sparkqlora.weights.family;

/** The places of a decoder layer that a family may normalise. */
public enum LayerNorm {
    BEFORE_ATTENTION,
    AFTER_ATTENTION,
    BEFORE_FEED_FORWARD,
    AFTER_FEED_FORWARD,
    QUERY,
    KEY,
    /** Behind what a layer makes of its own embedding. */
    AFTER_PER_LAYER
}
