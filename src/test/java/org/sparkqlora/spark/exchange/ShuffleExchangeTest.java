package org.sparkqlora.spark.exchange;

import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.train.GradientFormat;

@Tag("spark-line")
class ShuffleExchangeTest extends TreeExchangeContract {
    @Override
    GradientExchange exchange(JavaSparkContext cluster, GradientFormat format, long length) {
        return new ShuffleExchange(cluster, format, SliceLayout.of(length, 2), 1, 0);
    }
}
