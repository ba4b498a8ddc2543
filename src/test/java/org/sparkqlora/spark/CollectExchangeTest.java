package org.sparkqlora.spark;

import org.sparkqlora.train.Wire;

class CollectExchangeTest extends GradientExchangeContract {
    @Override
    GradientExchange exchange(Wire wire, long length) {
        return new CollectExchange(wire);
    }
}
