package org.sparkqlora.spark.exchange;

import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/** Collects every shard's vector and adds them on the driver: the quickest way for small vectors. */
final class CollectExchange implements GradientExchange {
    private final GradientDtype wire;

    CollectExchange(GradientDtype wire) {
        this.wire = wire;
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        List<ShardResult> results = shards.map(new PackGradient(wire)).collect().stream()
                .map(WireGradient::result)
                .toList();
        return StepGradient.sum(step, shards.getNumPartitions(), results);
    }

    @Override
    public void close() {
        // It keeps nothing between steps.
    }
}
