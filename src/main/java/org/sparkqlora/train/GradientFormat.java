package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.tensor.FlatVector;

/**
 * The number formats and the order of additions by which gradients become their sum, to the bit.
 *
 * @param shard number format of each shard's gradient
 * @param sum number format of the sum that moves a State; between the two all is float32
 * @param order of the additions
 */
public record GradientFormat(GradientDtype shard, GradientDtype sum, Summation order) implements Serializable {
    /** Float32 throughout, in a tree. */
    public static final GradientFormat FP32 =
            new GradientFormat(GradientDtype.FP32, GradientDtype.FP32, Summation.TREE);

    /** {@code vector} as the sum: rounded. */
    public SummedGradient summed(FlatVector vector) {
        sum.round(vector);
        return SummedVector.of(vector, order);
    }
}
