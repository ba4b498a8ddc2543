package org.sparkqlora.spark.exchange;

import org.sparkqlora.train.GradientDtype;

/** More slices than some vectors have elements, and one part at a time for the driver. */
class ManySlicesExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(GradientDtype dtype, long length) {
        return new ShuffleExchange(dtype, new SliceLayout(length, 11, 3), 1);
    }
}
