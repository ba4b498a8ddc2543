package org.sparkqlora.spark.exchange;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.train.GradientDtype;

@Tag("spark-line")
class CollectExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(GradientDtype dtype, long length) {
        return new CollectExchange(dtype);
    }
}
