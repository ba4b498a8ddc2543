package org.sparkqlora.bigdl;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.spark.exchange.GradientExchange;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;

/**
 * Reduce-scatter by BigDL's AllReduceParameter, in two jobs a step: shards leave tagged slices with their executors, then a
 * task a slice adds them, and the driver takes the sum. Each step has blocks of its own, so tasks may run anywhere. Slices that
 * an executor took with it are noticed by their tags; then the step is computed again from the replicas. Driver only.
 */
final class BigDlExchange implements GradientExchange {
    private static final Logger LOG = LoggerFactory.getLogger(BigDlExchange.class);
    private static final int MOST_ATTEMPTS = 5;

    private final GradientFormat format;
    private final long length;

    /** For vectors of {@code length} elements. */
    BigDlExchange(GradientFormat format, long length) {
        this.format = format;
        this.length = length;
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        for (int attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
            Optional<StepGradient> sum = attempt(shards, step);
            if (sum.isPresent()) {
                return sum.get();
            }

            LOG.warn("Step {}: slices of its gradients were lost; it is computed again", step + 1);
        }

        throw new IllegalStateException(
                "Cannot take step %d: in %d attempts slices of its gradients were lost before they were added. Expected executors that live through a step and have %d bytes of storage memory a shard."
                        .formatted(step + 1, MOST_ATTEMPTS, length * Float.BYTES));
    }

    @Override
    public void close() {
        // It keeps nothing between steps.
    }

    private Optional<StepGradient> attempt(JavaRDD<ShardResult> shards, long step) {
        int shardCount = shards.getNumPartitions();
        TaggedSlices slices = TaggedSlices.fresh(shardCount, length);
        try {
            List<ShardResult> facts =
                    shards.map(new PutGradient(slices, format.shard())).collect();
            StepGradient.requireGradients(step, facts);
            return take(shards, slices).map(sum -> StepGradient.of(step, shardCount, facts, () -> format.summed(sum)));
        } finally {
            slices.remove();
        }
    }

    private Optional<FlatVector> take(JavaRDD<ShardResult> shards, TaggedSlices slices) {
        List<Integer> numbers =
                IntStream.range(0, shards.getNumPartitions()).boxed().toList();
        List<float[]> sums = JavaSparkContext.fromSparkContext(shards.context())
                .parallelize(numbers, numbers.size())
                .map(slices::reduce)
                .collect();
        FlatVector sum = FlatVector.zeros(length);
        boolean whole = numbers.stream().allMatch(slice -> slices.write(slice, sums.get(slice), sum));
        return whole ? Optional.of(sum) : Optional.empty();
    }

    /**
     * Leaves a shard's gradient in the executor's memory, in slices; what goes to the driver is the rest. Runs in a task.
     *
     * @param dtype to which the gradient is rounded; BigDL moves float32 in either
     */
    private record PutGradient(TaggedSlices slices, GradientDtype dtype) implements Function<ShardResult, ShardResult> {
        @Override
        public ShardResult call(ShardResult result) {
            if (!(result instanceof ShardResult.Gradient shard)) {
                return result;
            }

            dtype.round(shard.gradient());
            slices.put(shard.shard(), shard.gradient());
            return shard.withoutVector();
        }
    }
}
