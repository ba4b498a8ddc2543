package org.sparkqlora.spark;

import org.apache.spark.api.java.JavaRDD;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/** Brings the gradients of all shards to the driver as one sum, added in shard order. */
interface GradientExchange {
    /** Runs the job behind {@code shards}, which gives one result a shard of {@code step}. */
    StepGradient sum(JavaRDD<ShardResult> shards, long step, int shardCount);
}
