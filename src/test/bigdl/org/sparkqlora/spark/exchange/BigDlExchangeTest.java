package org.sparkqlora.spark.exchange;

import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.train.GradientFormat;

class BigDlExchangeTest extends GradientExchangeContract {
    private static final int ANY_SHARDS = 2;

    @Override
    GradientExchange exchange(JavaSparkContext cluster, GradientFormat format, long length) {
        return BigDl.require().exchange(new GradientSize(length, ANY_SHARDS, format.shard()), format);
    }
}
