package org.sparkqlora.spark.exchange;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.train.GradientDtype;

@Tag("spark-line")
class ShuffleExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(GradientDtype dtype, long length) {
        return new ShuffleExchange(dtype, SliceLayout.of(length, 2), Long.MAX_VALUE);
    }
}
