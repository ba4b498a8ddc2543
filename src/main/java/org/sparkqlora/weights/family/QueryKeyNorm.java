package org.sparkqlora.weights.family;

/** Over what queries and keys are normalised before they are turned. */
public enum QueryKeyNorm {
    NONE,
    /** Over each head, with one weight for all. */
    EACH_HEAD,
    /** Over all heads together. */
    ALL_HEADS
}
