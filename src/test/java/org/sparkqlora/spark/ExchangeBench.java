package org.sparkqlora.spark;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ShardReport;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.Wire;

/**
 * Times the exchanges beside Spark's own treeAggregate on two executors; run by hand: {@code ExchangeBench MILLIONS...}. Prints
 * the median of the rounds in milliseconds: bringing two gradients together, and sending the sum to both executors again.
 */
final class ExchangeBench {
    private static final int SHARDS = 2;
    private static final int ROUNDS = 7;
    private static final String MASTER = "local-cluster[2,1,2048]";
    private static final double MILLIS = 1e6;
    private static final Map<String, float[]> VALUES = new ConcurrentHashMap<>();

    private ExchangeBench() {}

    public static void main(String[] arguments) {
        try (JavaSparkContext context = Clusters.start(
                MASTER,
                Map.of(
                        "spark.executor.memory", "2g",
                        "spark.driver.maxResultSize", "0",
                        "spark.kryoserializer.buffer.max", "2047m",
                        "spark.shuffle.compress", "false",
                        "spark.broadcast.compress", "false"))) {
            for (String millions : arguments) {
                compare(context, Integer.parseInt(millions) * 1_000_000);
            }
        }
    }

    private static void compare(JavaSparkContext context, int length) {
        JavaRDD<Integer> numbers =
                context.parallelize(IntStream.range(0, SHARDS).boxed().toList(), SHARDS);
        JavaRDD<ShardResult> shards = numbers.map(shard -> new ShardResult.Gradient(
                shard, new LossTotal(1, 1), 1, FlatVector.of(values(length, shard)), ShardReport.NONE));
        for (Wire wire : Wire.values()) {
            try (GradientExchange collect = new CollectExchange(wire, length);
                    GradientExchange shuffle =
                            new ShuffleExchange(wire, SliceLayout.of(length, SHARDS), Long.MAX_VALUE)) {
                report(
                        length,
                        "collect " + wire.word(),
                        context,
                        () -> collect.sum(shards, 0).gradient());
                report(
                        length,
                        "shuffle " + wire.word(),
                        context,
                        () -> shuffle.sum(shards, 0).gradient());
            }
        }

        JavaRDD<float[]> arrays = numbers.map(shard -> values(length, shard).clone());
        report(
                length,
                "treeAggregate",
                context,
                () -> arrays.treeAggregate(new float[0], ExchangeBench::add, ExchangeBench::add));
    }

    private static void report(int length, String name, JavaSparkContext context, Sum sum) {
        double[] together = new double[ROUNDS];
        double[] back = new double[ROUNDS];
        for (int round = -2; round < ROUNDS; round++) {
            long begin = System.nanoTime();
            Object result = sum.take();
            long summed = System.nanoTime();
            send(context, result);
            if (round >= 0) {
                together[round] = (summed - begin) / MILLIS;
                back[round] = (System.nanoTime() - summed) / MILLIS;
            }
        }

        Arrays.sort(together);
        Arrays.sort(back);
        System.out.printf(
                "%3d M floats  %-14s %7.0f ms (%.0f to %.0f), back %.0f ms%n",
                length / 1_000_000, name, together[ROUNDS / 2], together[0], together[ROUNDS - 1], back[ROUNDS / 2]);
    }

    private static void send(JavaSparkContext context, Object result) {
        Broadcast<Object> broadcast = context.broadcast(result);
        List<Integer> slots = IntStream.range(0, SHARDS).boxed().toList();
        context.parallelize(slots, SHARDS).foreach(slot -> broadcast.value());
        broadcast.destroy();
    }

    private static float[] add(float[] sum, float[] other) {
        if (sum.length == 0) {
            return other;
        }

        for (int i = 0; i < other.length; i++) {
            sum[i] += other[i];
        }

        return sum;
    }

    /** Made once a process, so that only moving and adding is timed. */
    private static float[] values(int length, int shard) {
        return VALUES.computeIfAbsent(length + "/" + shard, key -> random(length, shard));
    }

    private static float[] random(int length, int shard) {
        SplittableRandom random = new SplittableRandom(shard);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (random.nextDouble() - 0.5);
        }

        return values;
    }

    /** Brings the gradients together. */
    private interface Sum {
        Object take();
    }
}
