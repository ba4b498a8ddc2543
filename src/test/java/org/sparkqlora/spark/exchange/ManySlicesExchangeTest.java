package org.sparkqlora.spark.exchange;

import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientFormat;

/** Many slices and some parts of vectors that are short. */
class ManySlicesExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(JavaSparkContext cluster, GradientFormat format, long length) {
        int slices = (int) ((length + sliceLength(length) - 1) / sliceLength(length));
        return new ShuffleExchange(
                cluster, format, new SliceLayout(length, sliceLength(length), Math.min(3, slices)), 1, 0);
    }

    @Override
    double squares(FlatVector sum) {
        int slice = sliceLength(sum.length());
        double squares = 0;
        for (long from = 0; from < sum.length(); from += slice) {
            squares += sum.sumOfSquares(from, Math.min(slice, sum.length() - from));
        }

        return squares;
    }

    private static int sliceLength(long length) {
        return 1 + (int) (length / 11);
    }
}
