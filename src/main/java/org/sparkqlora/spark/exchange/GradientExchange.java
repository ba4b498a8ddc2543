package org.sparkqlora.spark.exchange;

import org.apache.spark.api.java.JavaRDD;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/**
 * Makes one sum of the gradients of all shards, in the order of the plan: float32 addition is not associative, and a run must give the same
 * bytes on any cluster. The sum lies in the driver, or with executors.
 */
public interface GradientExchange extends AutoCloseable {
    /**
     * Runs the jobs behind {@code shards}. Each of its partitions gives the result of one shard of {@code step}, in shard order,
     * and may be computed any number of times.
     */
    StepGradient sum(JavaRDD<ShardResult> shards, long step);

    /** The first number of each part in which sums stay with executors. */
    default long[] partStarts() {
        return new long[] {0};
    }

    @Override
    void close();
}
