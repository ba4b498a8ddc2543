package org.sparkqlora.weights.family;

/**
 * Feed-forward parts of which each token takes some (arXiv 1701.06538).
 *
 * @param experts of a layer
 * @param perToken experts that a token goes to
 * @param width of an expert between its projections
 * @param normalized the weights of a token's experts sum to 1
 */
public record Mixture(int experts, int perToken, int width, boolean normalized) {}
