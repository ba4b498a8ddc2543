package org.sparkqlora.bigdl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.BlockId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import scala.Function1;
import scala.collection.JavaConverters;

class TaggedSlicesTest {
    private static final int SHARDS = 3;
    private static final int LENGTH = 1000;
    private static final int NONE = -1;

    private static JavaSparkContext context;

    private final TaggedSlices slices = TaggedSlices.fresh(SHARDS, LENGTH);

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(Clusters.TWO_SLOTS);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @Test
    void aWholeSumIsTakenAndNothingStays() throws InterruptedException {
        putAllBut(NONE);
        FlatVector sum = FlatVector.zeros(LENGTH);

        assertThat(areWhole(reduce(), sum)).containsOnly(true);

        assertThat(sum.get(0)).isEqualTo(6);
        assertThat(sum.get(LENGTH - 1)).isEqualTo(6);
        slices.remove();
        awaitNoBlock();
    }

    @ParameterizedTest(name = "shard {0}")
    @ValueSource(ints = {0, 1, 2})
    void aMissingShardIsNoticed(int shard) {
        putAllBut(shard);

        assertThat(areWhole(reduce(), FlatVector.zeros(LENGTH))).containsOnly(false);

        slices.remove();
    }

    @Test
    void whatWasAddedInPlaceBeforeIsNoticed() {
        putAllBut(NONE);
        reduce();

        assertThat(areWhole(reduce(), FlatVector.zeros(LENGTH))).containsOnly(false);

        slices.remove();
    }

    @Test
    void aShardThatIsPutAgainCountsOnce() {
        putAllBut(NONE);
        putAllBut(1);

        assertThat(areWhole(reduce(), FlatVector.zeros(LENGTH))).containsOnly(true);

        slices.remove();
    }

    @Test
    void tellsWhatABigDlVectorHolds() {
        assertThat(TaggedSlices.fits(2, 2_000_000_000L)).isTrue();
        assertThat(TaggedSlices.fits(2, Integer.MAX_VALUE)).isFalse();
        assertThat(TaggedSlices.fits(64, 1L << 40)).isFalse();
    }

    private void putAllBut(int missing) {
        TaggedSlices target = slices;
        numbers().foreach(shard -> {
            if (shard != missing) {
                target.put(shard, filled(shard + 1));
            }
        });
    }

    private List<float[]> reduce() {
        return numbers().map(slices::reduce).collect();
    }

    private List<Boolean> areWhole(List<float[]> sums, FlatVector target) {
        return List.of(0, 1, 2).stream()
                .map(slice -> slices.write(slice, sums.get(slice), target))
                .toList();
    }

    private static JavaRDD<Integer> numbers() {
        return context.parallelize(List.of(0, 1, 2), SHARDS);
    }

    /** Spark removes them in the background. */
    private static void awaitNoBlock() {
        await().until(TaggedSlicesTest::storedBlocks, List::isEmpty);
    }

    private static List<BlockId> storedBlocks() {
        Function1<BlockId, Object> ofBigDl = block -> block.name().startsWith("test_");
        return JavaConverters.seqAsJavaList(SparkEnv.get().blockManager().getMatchingBlockIds(ofBigDl));
    }

    private static FlatVector filled(float value) {
        FlatVector vector = FlatVector.zeros(LENGTH);
        for (int i = 0; i < LENGTH; i++) {
            vector.set(i, value);
        }

        return vector;
    }
}
