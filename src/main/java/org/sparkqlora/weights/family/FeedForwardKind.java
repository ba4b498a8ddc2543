package org.sparkqlora.weights.family;

/** What the feed-forward part of a layer is. */
public enum FeedForwardKind {
    /** One for all tokens. */
    DENSE,
    /** A {@link Mixture}. */
    EXPERTS
}
