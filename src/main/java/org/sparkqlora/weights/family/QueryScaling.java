package org.sparkqlora.weights.family;

/**
 * A factor on turned queries that sharpens attention in long texts ({@code llama_4_scaling_beta} of transformers):
 * {@code 1 + beta log(1 + floor(position / originalMaxPositions))}.
 *
 * @param originalMaxPositions positions of the context before it was stretched, in which the factor is 1
 */
public record QueryScaling(double beta, int originalMaxPositions) {
    /** The factor at {@code position}, counted from 0. */
    public double factor(int position) {
        return 1 + beta * Math.log1p(Math.floorDiv(position, originalMaxPositions));
    }
}
