package org.sparkqlora.spark.exchange;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.sparkqlora.bigdl.OwnAllReduce;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.SummedVector;
import org.sparkqlora.train.metrics.ShardReport;

/**
 * Times a whole synchronisation of two executors, from gradients of {@code -Dshards=2} to their sum in both: ours beside Spark's treeAggregate
 * and broadcast, and BigDL's own way. Run by hand: {@code ExchangeBench MILLIONS... [NAMES...]}; without names all
 * take part. They take turns in every round, so that what else the machine does meets each; prints medians of milliseconds, and of
 * processor time of all three processes, as shares of those of the faster of Spark and BigDL too. {@code -Dexecutor.options} are more
 * options of the executors' Java.
 */
final class ExchangeBench {
    private static final int SHARDS = Integer.getInteger("shards", 2);
    private static final int ROUNDS = Integer.getInteger("rounds", 21);
    private static final int WARM_UP = Integer.getInteger("warm.up", 20);
    private static final String MASTER = "local-cluster[2,1,4096]";
    private static final double MILLIS = 1e6;
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final String TREE = "treeAggregate";
    private static final String OWN = "BigDL's own";
    private static final Map<String, float[]> VALUES = new ConcurrentHashMap<>();

    private ExchangeBench() {}

    public static void main(String[] arguments) {
        try (JavaSparkContext context = Clusters.start(
                MASTER,
                Map.of(
                        "spark.executor.memory", "4096m",
                        "spark.driver.maxResultSize", "0",
                        "spark.kryoserializer.buffer.max", "2047m",
                        "spark.locality.wait", "10s",
                        "spark.executor.extraJavaOptions",
                                String.join(" ", Clusters.javaFlags()) + System.getProperty("executor.options", ""),
                        "spark.shuffle.compress", "false",
                        "spark.broadcast.compress", "false"))) {
            List<String> names = Arrays.stream(arguments)
                    .filter(word -> !NUMBER.matcher(word).matches())
                    .toList();
            for (String word : arguments) {
                if (NUMBER.matcher(word).matches()) {
                    compare(context, Integer.parseInt(word) * 1_000_000, names);
                }
            }
        }
    }

    private static void compare(JavaSparkContext context, int length, List<String> names) {
        JavaRDD<Integer> numbers =
                context.parallelize(IntStream.range(0, SHARDS).boxed().toList(), SHARDS);
        List<Contender> contenders = new ArrayList<>();
        contenders.add(treeAggregate(context, numbers, length));
        contenders.add(bigDl(numbers, length));
        for (GradientDtype dtype : GradientDtype.values()) {
            SliceLayout layout = SliceLayout.of(length, SHARDS);
            GradientFormat format = new GradientFormat(dtype, dtype, Summation.TREE);
            contenders.add(
                    ours("collect " + dtype.optionName(), context, numbers, new CollectExchange(format), length));
            contenders.add(ours(
                    "shuffle " + dtype.optionName(),
                    context,
                    numbers,
                    new ShuffleExchange(context, format, layout, 1, 0),
                    length));
        }

        GradientSize size = new GradientSize(length, SHARDS, GradientDtype.FP32);
        contenders.add(ours("bigdl", context, numbers, BigDl.require().exchange(size, GradientFormat.FP32), length));
        contenders.removeIf(contender -> !names.isEmpty() && !names.contains(contender.name));
        for (int round = -WARM_UP; round < ROUNDS; round++) {
            for (Contender contender : contenders) {
                contender.time(round);
            }
        }

        report(length, contenders);
    }

    private static void report(int length, List<Contender> contenders) {
        double best = bestOf(contenders, contender -> contender.millis);
        for (Contender contender : contenders) {
            System.out.printf(
                    "%3d M floats  %-14s %6.0f ms (%.0f to %.0f) %5.2f   processor %6.0f ms %5.2f%n",
                    length / 1_000_000,
                    contender.name,
                    median(contender.millis),
                    Arrays.stream(contender.millis).min().orElseThrow(),
                    Arrays.stream(contender.millis).max().orElseThrow(),
                    median(contender.millis) / best,
                    median(contender.processor),
                    median(contender.processor) / bestOf(contenders, other -> other.processor));
        }
    }

    private static double bestOf(List<Contender> contenders, Function<Contender, double[]> times) {
        return contenders.stream()
                .filter(contender -> contender.name.equals(TREE) || contender.name.equals(OWN))
                .mapToDouble(contender -> median(times.apply(contender)))
                .min()
                .orElse(Double.NaN);
    }

    private static double median(double[] times) {
        double[] sorted = times.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Of this process and its executors. */
    private static double processorMillis() {
        ProcessHandle driver = ProcessHandle.current();
        return Stream.concat(Stream.of(driver), driver.descendants())
                .mapToLong(process ->
                        process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis())
                .sum();
    }

    private static Contender treeAggregate(JavaSparkContext context, JavaRDD<Integer> numbers, int length) {
        JavaRDD<float[]> arrays = numbers.map(shard -> values(length, shard).clone());
        return new Contender(
                TREE,
                () -> send(
                        context, numbers, arrays.treeAggregate(new float[0], ExchangeBench::add, ExchangeBench::add)));
    }

    private static Contender ours(
            String name, JavaSparkContext context, JavaRDD<Integer> numbers, GradientExchange exchange, int length) {
        JavaRDD<ShardResult> shards = numbers.map(shard -> new ShardResult.Gradient(
                shard, new LossTotal(1, 1), 1, FlatVector.of(values(length, shard)), ShardReport.NONE));
        AtomicLong step = new AtomicLong();
        return new Contender(
                name,
                () -> take(
                        context,
                        numbers,
                        exchange.sum(shards, step.getAndIncrement()).gradient()));
    }

    private static Contender bigDl(JavaRDD<Integer> numbers, int length) {
        OwnAllReduce reduce = new OwnAllReduce(SHARDS, length);
        JavaRDD<Integer> pinned = numbers.map(shard -> shard).cache();
        pinned.count();
        pinned.foreach(shard -> reduce.init());
        return new Contender(OWN, () -> {
            pinned.foreach(shard -> reduce.put(values(length, shard)));
            pinned.foreach(shard -> reduce.reduce());
            pinned.foreach(shard -> reduce.take());
        });
    }

    /** Brings the numbers to both executors: from the driver, or from where they are held. */
    private static void take(JavaSparkContext context, JavaRDD<Integer> numbers, SummedGradient sum) {
        if (sum instanceof SummedVector) {
            send(context, numbers, sum.vector());
        } else {
            numbers.foreach(shard -> sum.vector());
        }
    }

    private static void send(JavaSparkContext context, JavaRDD<Integer> numbers, Object sum) {
        Broadcast<Object> broadcast = context.broadcast(sum);
        numbers.foreach(shard -> broadcast.value());
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

    /** One way to synchronise. */
    private static final class Contender {
        private final String name;
        private final Runnable synchronisation;
        private final double[] millis = new double[ROUNDS];
        private final double[] processor = new double[ROUNDS];

        Contender(String name, Runnable synchronisation) {
            this.name = name;
            this.synchronisation = synchronisation;
        }

        /** Rounds below 0 warm up. */
        void time(int round) {
            long begin = System.nanoTime();
            double busy = processorMillis();
            synchronisation.run();
            if (round >= 0) {
                millis[round] = (System.nanoTime() - begin) / MILLIS;
                processor[round] = processorMillis() - busy;
            }
        }
    }
}
