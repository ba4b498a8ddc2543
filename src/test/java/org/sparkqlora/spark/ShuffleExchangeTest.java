package org.sparkqlora.spark;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.train.Wire;

@Tag("spark-line")
class ShuffleExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(Wire wire, long length) {
        return new ShuffleExchange(wire, SliceLayout.of(length, 2), Long.MAX_VALUE);
    }
}
