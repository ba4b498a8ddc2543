package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.metrics.ShardReport;

class HeldSumsTest {
    private static final int LENGTH = 1000;
    private static final int STEPS = 12;
    private static final int KEPT = 2;
    private static final long PAUSE = 100;
    private static final int PART = 1000;
    private static final int LENGTH_OF_PARTS = 3 * PART;

    private static JavaSparkContext context;

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(Clusters.TWO_EXECUTORS);
        Clusters.awaitPlaces(2);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @Test
    void noProcessKeepsSumsThatNobodyAsksForAlsoWhereItOnlyReads() {
        try (GradientExchange exchange =
                new ShuffleExchange(context, GradientFormat.FP32, SliceLayout.of(LENGTH, 1), KEPT, 0)) {
            for (int step = 0; step < STEPS; step++) {
                SummedGradient sum = exchange.sum(shards(), step).gradient();

                assertThat(firstNumbers(sum)).containsOnly(3f);
            }

            assertThat(heldSums()).allSatisfy(count -> assertThat(count).isBetween(1, KEPT + 1));
        }
    }

    /** The driver reads parts of it, as owners of a State do, or has the last numbers of one with its handle. */
    @ParameterizedTest(name = "in {0}")
    @EnumSource
    void aRangeHasTheNumbersOfTheWhole(GradientDtype dtype) {
        GradientFormat format = new GradientFormat(dtype, dtype, Summation.TREE);
        SliceLayout layout = new SliceLayout(LENGTH_OF_PARTS, PART, LENGTH_OF_PARTS / PART);
        try (GradientExchange exchange = new ShuffleExchange(context, format, layout, KEPT, HeldSums.LONGEST_TAIL)) {
            SummedGradient sum = exchange.sum(shards(LENGTH_OF_PARTS), 0).gradient();
            FlatVector whole = sum.vector();

            assertThat(exchange.partStarts()).containsExactly(0, PART, 2 * PART);
            for (int[] range :
                    new int[][] {{0, 3 * PART}, {1, 7}, {PART - 255, PART}, {PART - 1, 2}, {2 * PART, PART}}) {
                float[] expected = new float[range[1]];
                whole.read(range[0], expected, 0, range[1]);
                sum.lendRange(
                        range[0],
                        range[1],
                        found -> assertThat(TrainFixture.values(found)).isEqualTo(expected));
            }
        }
    }

    /** Parts far before a range have none of its numbers: of a model of three billion they are more away than an int can tell. */
    @Test
    void aRangeBehindBillionsOfNumbersIsThere() {
        SliceLayout layout = SliceLayout.of(3_000_000_000L, 1);
        List<float[]> tails = IntStream.range(0, layout.parts())
                .mapToObj(part -> new float[] {part, part})
                .toList();
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            ExecutorBlocks.Handle part = new ExecutorBlocks.Handle("sum", 1, 0, List.of());
            HeldGradient sum = new HeldGradient(
                    new HeldSums(blocks, layout, GradientFormat.FP32, KEPT, 1, 2),
                    0,
                    Collections.nCopies(layout.parts(), part),
                    tails,
                    0);

            sum.lendRange(
                    layout.length() - 2,
                    2,
                    found -> assertThat(TrainFixture.values(found)).containsOnly(layout.parts() - 1));
        }
    }

    private static JavaRDD<ShardResult> shards() {
        return shards(LENGTH);
    }

    /** The first number of their sum is 3. */
    private static JavaRDD<ShardResult> shards(int length) {
        return context.parallelize(List.of(0, 1), 2).map(shard -> {
            FlatVector vector = FlatVector.zeros(length);
            for (int i = 0; i < length; i++) {
                vector.set(i, i * 0.37f + 1 + shard);
            }

            return new ShardResult.Gradient(shard, new LossTotal(1, 1), 1, vector, ShardReport.NONE);
        });
    }

    /** As each executor reads it. */
    private static List<Float> firstNumbers(SummedGradient sum) {
        return inBoth().map(task -> {
                    Thread.sleep(PAUSE);
                    float[] first = new float[1];
                    sum.lend(new VectorPool(LENGTH), vector -> vector.read(0, first, 0, 1));
                    return first[0];
                })
                .collect();
    }

    /** Of each executor. */
    private static List<Integer> heldSums() {
        return inBoth().mapToPair(task -> {
                    Thread.sleep(PAUSE);
                    return new scala.Tuple2<>(ExecutorPlace.here().executor(), sumsHere());
                })
                .distinct()
                .values()
                .collect();
    }

    private static JavaRDD<Integer> inBoth() {
        return context.parallelize(IntStream.range(0, 4).boxed().toList(), 4);
    }

    private static int sumsHere() {
        return SparkEnv.get()
                .blockManager()
                .getMatchingBlockIds(id -> id.name().contains("sum_"))
                .size();
    }
}
