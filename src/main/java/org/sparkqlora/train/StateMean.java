package org.sparkqlora.train;

import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.tensor.FlatVector;

/**
 * A State as float32 numbers, so that States can be added like gradients: parameters, then the optimiser's states, then how
 * far the parameters have moved, squared.
 *
 * @param sum of the numbers of {@code shards} States
 * @param shards count of those States
 */
public record StateMean(FlatVector sum, int shards) {
    /** The count of numbers in a State of {@code parameters}. */
    public static long length(long parameters, OptimizerSpec spec) {
        return parameters * (1L + Optimizers.states(spec)) + 1;
    }

    /** The numbers of {@code state}, whose parameters were {@code begin}. */
    static FlatVector numbers(TrainState state, FlatVector begin) {
        FlatVector numbers = FlatVector.zeros(state.numberCount() + 1);
        state.readNumbers(numbers);
        numbers.set(state.numberCount(), (float) squaredDistance(begin, numbers));
        return numbers;
    }

    /**
     * The divergence of the shards relative to the movement of their mean: the root of the mean square distance from the
     * mean over the distance that it moved. By the variance's identity it takes one number a shard. 0 is exact.
     *
     * @param begin parameters before the round
     */
    double divergence(FlatVector begin) {
        FlatVector mean = sum.copy();
        mean.scale(1f / shards);
        double moved = squaredDistance(begin, mean);
        double meanSquare = mean.get(mean.length() - 1);
        return moved == 0 ? 0 : Math.sqrt(Math.max(0, meanSquare - moved) / moved);
    }

    /** Over the elements of {@code begin}. */
    private static double squaredDistance(FlatVector begin, FlatVector end) {
        double sum = 0;
        for (long i = 0; i < begin.length(); i++) {
            double difference = (double) end.get(i) - begin.get(i);
            sum += difference * difference;
        }

        return sum;
    }
}
