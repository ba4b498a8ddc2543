package org.sparkqlora.spark.exchange;

import org.sparkqlora.train.GradientDtype;

class BigDlExchangeTest extends GradientExchangeContract {
    private static final int ANY_SHARDS = 2;

    @Override
    GradientExchange exchange(GradientDtype dtype, long length) {
        return BigDl.require().exchange(new GradientSize(length, ANY_SHARDS, dtype));
    }
}
