package org.sparkqlora.spark;

import org.sparkqlora.train.Wire;

class ShuffleExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(Wire wire, long length) {
        return new ShuffleExchange(wire, SliceLayout.of(length, 2), Long.MAX_VALUE);
    }
}
