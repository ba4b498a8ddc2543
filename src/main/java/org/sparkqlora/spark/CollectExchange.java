package org.sparkqlora.spark;

import org.apache.spark.api.java.JavaRDD;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/** Collects every shard's vector and adds them on the driver: the quickest way for small vectors. */
final class CollectExchange implements GradientExchange {
    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step, int shardCount) {
        return StepGradient.sum(step, shardCount, shards.collect());
    }
}
