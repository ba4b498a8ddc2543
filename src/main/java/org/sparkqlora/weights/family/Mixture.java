package org.sparkqlora.weights.family;

import java.util.Optional;

/**
 * Feed-forward parts of which each token takes some (arXiv 1701.06538).
 *
 * @param experts of a layer
 * @param perToken experts that a token goes to
 * @param width of an expert between its projections
 * @param normalized the weights of a token's experts sum to 1
 * @param modules how experts and router are named and stored
 * @param clamp bounds of the gate; empty for the model's activation
 */
public record Mixture(
        int experts, int perToken, int width, boolean normalized, ExpertModules modules, Optional<GateClamp> clamp) {
    /** Experts that are modules. */
    public Mixture(int experts, int perToken, int width, boolean normalized) {
        this(experts, perToken, width, normalized, ExpertModules.SEPARATE, Optional.empty());
    }
}
