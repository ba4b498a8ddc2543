package org.sparkqlora.spark;

import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.VoidFunction;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/**
 * Where tasks run in the driver, they leave their vectors with the driver's replica: nothing is serialised, and a gradient
 * may lie in a scratch file.
 */
final class DriverExchange implements GradientExchange {
    private final RunDescription run;

    DriverExchange(RunDescription run) {
        this.run = run;
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step, int shardCount) {
        shards.foreach(new Leave(run, step));
        return StepGradient.sum(step, shardCount, ExecutorReplicas.of(run).take(step));
    }

    /** Runs in a task of the driver's process. */
    private record Leave(RunDescription run, long step) implements VoidFunction<ShardResult> {
        @Override
        public void call(ShardResult result) {
            ExecutorReplicas.of(run).leave(step, result);
        }
    }
}
