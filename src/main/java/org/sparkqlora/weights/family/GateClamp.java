package org.sparkqlora.weights.family;

/**
 * A gate that is bounded: {@code y = (u + 1) g sigmoid(alpha g)}, of which g is the gate and at most the limit, and u the rest and between the
 * limit and its opposite.
 */
public record GateClamp(double alpha, double limit) {}
