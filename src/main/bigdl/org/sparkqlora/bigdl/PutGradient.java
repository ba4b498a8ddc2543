package org.sparkqlora.bigdl;

import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;

/**
 * Leaves a shard's gradient in the executor's memory, in slices; what goes to the driver is the rest. Runs in a task.
 *
 * @param wire to whose numbers the gradient is rounded; BigDL moves float32 in either
 */
record PutGradient(TaggedSlices slices, GradientDtype wire) implements Function<ShardResult, ShardResult> {
    @Override
    public ShardResult call(ShardResult result) {
        if (!(result instanceof ShardResult.Gradient shard)) {
            return result;
        }

        wire.round(shard.gradient());
        slices.put(shard.shard(), shard.gradient());
        return shard.withoutVector();
    }
}
