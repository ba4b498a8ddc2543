package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/** Collects every shard's vector and adds them on the driver: the quickest way for small vectors. */
public record CollectExchange(GradientFormat format) implements GradientExchange {
    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        List<ShardResult> results = shards.map(new PackGradient(format.shard())).collect().stream()
                .map(WireGradient::result)
                .toList();
        return StepGradient.sum(step, shards.getNumPartitions(), results, format);
    }

    @Override
    public void close() {
        // It keeps nothing between steps.
    }

    /** Encodes a shard's whole gradient for the way to the driver. Runs in a task. */
    private record PackGradient(GradientDtype dtype) implements Function<ShardResult, WireGradient> {

        @Override
        public WireGradient call(ShardResult result) {
            if (result instanceof ShardResult.Gradient shard) {
                dtype.round(shard.gradient());
            }

            return new WireGradient(result, dtype);
        }
    }

    /**
     * A shard's whole result on its way to the driver.
     *
     * @param result whose vector, if it has one, is rounded to {@code dtype}
     * @param dtype number format in which the vector is sent
     */
    public record WireGradient(ShardResult result, GradientDtype dtype) implements Serializable {}
}
