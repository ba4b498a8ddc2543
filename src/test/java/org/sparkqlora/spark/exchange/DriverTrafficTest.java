package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.metrics.ShardReport;

/**
 * What one step by shuffle costs the driver, by Spark's own counts: it grows with the shards and not with the vector. {@code -Dtraffic=64x1000000,...}
 * takes other shards and lengths; the counts are printed.
 */
class DriverTrafficTest {
    private static final String SIZES = System.getProperty("traffic", "8x1000,8x600000,70x1000,70x600000");
    private static final long FIXED = 1 << 20;
    private static final long OF_SHARD = 2 << 10;

    private static JavaSparkContext context;
    private static final Counts COUNTS = new Counts();

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(Clusters.TWO_EXECUTORS);
        context.sc().addSparkListener(COUNTS);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    private static Stream<Arguments> sizes() {
        return Arrays.stream(SIZES.split(",")).map(size -> Arguments.of((Object[]) size.split("x")));
    }

    @ParameterizedTest(name = "{0} shards of {1} numbers")
    @MethodSource("sizes")
    void theDriverGetsFacts(int shards, int length) {
        SliceLayout layout = SliceLayout.of(length, 2);
        int groups = GradientFormat.FP32.order().groups(shards);
        try (GradientExchange exchange = new ShuffleExchange(context, GradientFormat.FP32, layout, 1, 0)) {
            COUNTS.clear();
            StepGradient sum = exchange.sum(shards(shards, length), 0);
            int tasks = shards + layout.parts() * (groups > 1 ? groups + 1 : 1);
            await().until(() -> COUNTS.tasks.get() == tasks);

            assertThat(sum.gradient().squares()).isPositive();
        }

        System.out.printf(
                "%d shards of %d numbers: %d tasks, %d bytes to the driver, %d blocks%n",
                shards, length, COUNTS.tasks.get(), COUNTS.resultBytes.get(), COUNTS.blocks.get());
        assertThat(COUNTS.resultBytes.get()).isLessThan(FIXED + shards * OF_SHARD);
        assertThat(COUNTS.blocks.get())
                .isEqualTo((long) layout.parts() * (groups > 1 ? shards + groups : shards))
                .isLessThanOrEqualTo(33L * shards);
    }

    private static JavaRDD<ShardResult> shards(int shards, int length) {
        List<Integer> numbers = IntStream.range(0, shards).boxed().toList();
        return context.parallelize(numbers, shards).map(shard -> {
            FlatVector vector = FlatVector.zeros(length);
            vector.set(shard % length, 1 + shard);
            return new ShardResult.Gradient(shard, new LossTotal(1, 1), 1, vector, ShardReport.NONE);
        });
    }

    private static final class Counts extends SparkListener {
        private final AtomicLong tasks = new AtomicLong();
        private final AtomicLong resultBytes = new AtomicLong();
        private final AtomicLong blocks = new AtomicLong();

        private void clear() {
            tasks.set(0);
            resultBytes.set(0);
            blocks.set(0);
        }

        @Override
        public void onTaskEnd(SparkListenerTaskEnd end) {
            TaskMetrics metrics = end.taskMetrics();
            resultBytes.addAndGet(metrics.resultSize());
            blocks.addAndGet(metrics.shuffleReadMetrics().totalBlocksFetched());
            tasks.incrementAndGet();
        }
    }
}
