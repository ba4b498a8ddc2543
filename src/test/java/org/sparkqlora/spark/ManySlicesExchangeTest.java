package org.sparkqlora.spark;

import org.sparkqlora.train.Wire;

/** More slices than some vectors have elements, and one part at a time for the driver. */
class ManySlicesExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(Wire wire, long length) {
        return new ShuffleExchange(wire, new SliceLayout(length, 11, 3), 1);
    }
}
