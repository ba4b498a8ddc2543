package org.sparkqlora.tensor;

/**
 * Sums of the same rows, each with weights of its own: sum s begins at {@code target[at + s targetStride]}, and row i has weight
 * {@code weights[from + s weightStride + i]} in it.
 *
 * @param count how many sums
 */
public record WeightedSums(
        float[] weights, int from, int weightStride, float[] target, int at, int targetStride, int count) {
    int weight(int sum) {
        return from + sum * weightStride;
    }

    int target(int sum) {
        return at + sum * targetStride;
    }
}
