package org.sparkqlora.tensor.cuda;

/**
 * The numbers of one step of AdamW, as the kernel takes them.
 *
 * @param gradientScale what gradients are multiplied by first
 * @param keepMean share of the mean of gradients that stays
 * @param addMean share of the gradient that is added to it
 * @param keepSquare share of the mean of squares that stays
 * @param addSquare share of the square that is added to it
 * @param keepParameter what a parameter is multiplied by
 * @param size of the step
 * @param epsilon what is added to the root of the mean of squares
 */
public record AdamWFactors(
        float gradientScale,
        float keepMean,
        float addMean,
        float keepSquare,
        float addSquare,
        float keepParameter,
        float size,
        float epsilon) {
    float[] structure() {
        return new float[] {gradientScale, keepMean, addMean, keepSquare, addSquare, keepParameter, size, epsilon};
    }
}
