package org.sparkqlora.spark;

import org.sparkqlora.train.Wire;

class BigDlExchangeTest extends GradientExchangeContract {
    private static final int ANY_SHARDS = 2;

    @Override
    GradientExchange exchange(Wire wire, long length) {
        return BigDl.require().exchange(new GradientSize(length, ANY_SHARDS, wire));
    }
}
