package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BrokenLossException;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.SummedVector;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

/** The contract of every exchange: the bytes of a plain sum in shard order, for all sizes. */
abstract class GradientExchangeContract {
    private static JavaSparkContext context;

    /** The exchange for vectors of {@code length} elements. */
    abstract GradientExchange exchange(JavaSparkContext cluster, GradientFormat format, long length);

    double squares(FlatVector sum) {
        return Summation.TREE.squares(sum);
    }

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(Clusters.TWO_SLOTS);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @ParameterizedTest(name = "{0} shards of {1} elements by {2}")
    @CsvSource({
        "1, 1, FP32",
        "1, 4099, FP32",
        "2, 1, FP32",
        "3, 7, FP32",
        "5, 100003, FP32",
        "4, 800001, FP32",
        "1, 333, BF16",
        "3, 70001, BF16"
    })
    void addsInShardOrder(int shards, int length, GradientDtype dtype) {
        RandomShard shard = new RandomShard(11, length);

        StepGradient sum = sum(shard, shards, dtype, length);

        FlatVector expected = plainSum(shard, shards, dtype);
        assertThat(bits(sum)).isEqualTo(bits(expected));
        assertThat(sum.gradient().squares()).isEqualTo(squares(expected));
        assertThat(sum.loss()).isEqualTo(LossTotal.sum(facts(shard, shards)));
        assertThat(sum.tokens()).isEqualTo(shards * (shards + 19L) / 2);
        assertThat(sum.shards())
                .extracting(ShardResult.Gradient::report)
                .containsExactlyElementsOf(
                        IntStream.range(0, shards).mapToObj(i -> report(i)).toList());
    }

    @Test
    void keepsTheSignOfZeroAndWhatIsNoNumber() {
        float[] values = {-0f, 0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, Float.MAX_VALUE};
        for (GradientDtype dtype : GradientDtype.values()) {
            StepGradient sum = sum(shard -> gradient(shard, FlatVector.of(values)), 1, dtype, values.length);

            FlatVector vector = sum.gradient().vector();
            assertThat(vector.get(0)).isEqualTo(-0f);
            assertThat(vector.get(2)).isNaN();
            assertThat(vector.get(3)).isInfinite();
            assertThat(sum.gradient().squares()).isNaN();
        }
    }

    @Test
    void namesTheShardAndRowOfABrokenLoss() {
        assertThatThrownBy(() -> sum(new BrokenShard(1, 1000), 3, GradientDtype.FP32, 1000))
                .isInstanceOf(BrokenLossException.class)
                .hasMessageContaining("found NaN in row 77 (shard 1)");
    }

    @Test
    void takesStepAfterStep() {
        try (GradientExchange exchange = exchange(context, format(GradientDtype.FP32), 5000)) {
            for (int step = 0; step < 3; step++) {
                RandomShard shard = new RandomShard(step, 5000);
                StepGradient sum = exchange.sum(shards(shard, 2), step);

                assertThat(bits(sum)).isEqualTo(bits(plainSum(shard, 2, GradientDtype.FP32)));
            }
        }
    }

    /** The sum, fetched before the exchange forgets it. */
    StepGradient sum(Function<Integer, ShardResult> shard, int shards, GradientDtype dtype, long length) {
        return sum(shard, shards, format(dtype), length);
    }

    StepGradient sum(Function<Integer, ShardResult> shard, int shards, GradientFormat format, long length) {
        try (GradientExchange exchange = exchange(context, format, length)) {
            StepGradient sum = exchange.sum(shards(shard, shards), 0);
            SummedVector here =
                    new SummedVector(sum.gradient().vector(), sum.gradient().squares());
            return new StepGradient(sum.loss(), sum.tokens(), here, sum.shards(), sum.seconds());
        }
    }

    private static GradientFormat format(GradientDtype dtype) {
        return new GradientFormat(dtype, dtype, Summation.TREE);
    }

    private static JavaRDD<ShardResult> shards(Function<Integer, ShardResult> shard, int shards) {
        return context.parallelize(IntStream.range(0, shards).boxed().toList(), shards)
                .map(shard);
    }

    private static List<LossTotal> facts(RandomShard shard, int shards) {
        return IntStream.range(0, shards).mapToObj(i -> shard.call(i).loss()).toList();
    }

    /** The reference for up to 32 shards: the definition of the sum in three lines. */
    static FlatVector plainSum(RandomShard shard, int shards, GradientDtype dtype) {
        return onTheWire(plainSum(shard, 0, shards, dtype), dtype);
    }

    static FlatVector plainSum(RandomShard shard, int from, int to, GradientDtype dtype) {
        FlatVector sum = onTheWire(shard.call(from).gradient(), dtype);
        for (int i = from + 1; i < to; i++) {
            sum.addAll(onTheWire(shard.call(i).gradient(), dtype));
        }

        return sum;
    }

    private static FlatVector onTheWire(FlatVector vector, GradientDtype dtype) {
        for (long i = 0; dtype == GradientDtype.BF16 && i < vector.length(); i++) {
            vector.set(i, Bfloat16.widen(Bfloat16.round(vector.get(i))));
        }

        return vector;
    }

    static int[] bits(StepGradient sum) {
        return bits(sum.gradient().vector());
    }

    static int[] bits(FlatVector vector) {
        int[] bits = new int[Math.toIntExact(vector.length())];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(vector.get(i)));
        return bits;
    }

    private static ShardResult.Gradient gradient(int shard, FlatVector vector) {
        LossTotal loss = new LossTotal(0.1 * shard, 3L + shard);
        return new ShardResult.Gradient(shard, loss, 10L + shard, vector, report(shard));
    }

    private static ShardReport report(int shard) {
        return new ShardReport("executor " + shard, new PhaseSeconds(shard, 1, 2, 3, 4), new ProcessMemory(shard, 5));
    }

    /** Values of very unequal size, whose float32 sum depends on the order. */
    record RandomShard(long seed, int length) implements Function<Integer, ShardResult>, Serializable {
        @Override
        public ShardResult.Gradient call(Integer shard) {
            SplittableRandom random = new SplittableRandom(seed * 1000 + shard);
            FlatVector vector = FlatVector.zeros(length);
            for (int i = 0; i < length; i++) {
                vector.set(i, (float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(-20, 20)));
            }

            return gradient(shard, vector);
        }
    }

    private record BrokenShard(int which, int length) implements Function<Integer, ShardResult>, Serializable {
        @Override
        public ShardResult call(Integer shard) {
            return shard == which
                    ? new ShardResult.BrokenLoss(shard, 77, Double.NaN)
                    : gradient(shard, FlatVector.zeros(length));
        }
    }
}
