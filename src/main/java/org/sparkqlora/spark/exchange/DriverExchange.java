package org.sparkqlora.spark.exchange;

import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.VoidFunction;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/**
 * The exchange of tasks that run in the driver: they leave their vectors with the driver's replica, nothing is serialised, and a gradient
 * may lie in a scratch file.
 *
 * @param format to which gradients are rounded, as they would be on their way from another process
 */
record DriverExchange(RunHandle run, GradientFormat format) implements GradientExchange {
    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        shards.foreach(new Leave(run, format.shard(), step));
        return StepGradient.sum(
                step, shards.getNumPartitions(), ProcessReplicas.of(run).take(step), format);
    }

    @Override
    public void close() {
        // The replica that it uses is its owner's.
    }

    /** Runs in a task of the driver's process. */
    private record Leave(RunHandle run, GradientDtype dtype, long step) implements VoidFunction<ShardResult> {
        @Override
        public void call(ShardResult result) {
            if (result instanceof ShardResult.Gradient shard) {
                dtype.round(shard.gradient());
            }

            ProcessReplicas.of(run).leave(step, result);
        }
    }
}
