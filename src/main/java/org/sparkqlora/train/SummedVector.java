package org.sparkqlora.train;

import org.sparkqlora.tensor.FlatVector;

/**
 * A summed gradient whose numbers are here.
 *
 * @param vector its numbers
 * @param squares the sum of their squares
 */
public record SummedVector(FlatVector vector, double squares) implements SummedGradient {
    /** {@code vector}, with its squares summed by {@code order}. */
    public static SummedVector of(FlatVector vector, Summation order) {
        return new SummedVector(vector, order.squares(vector));
    }

    @Override
    public long length() {
        return vector.length();
    }

    @Override
    public void close() {
        vector.close();
    }
}
