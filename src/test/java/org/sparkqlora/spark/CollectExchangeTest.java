package org.sparkqlora.spark;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.train.Wire;

@Tag("spark-line")
class CollectExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(Wire wire, long length) {
        return new CollectExchange(wire);
    }
}
