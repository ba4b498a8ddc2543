package org.sparkqlora.spark.blocks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.blocks.ExecutorBlocks.Handle;
import org.sparkqlora.spark.job.Clusters;

/** With less of Spark's share of the heap than a block takes. */
@Tag("spark-line")
class BlocksOnDiskTest {
    private static final int LARGE = 1 << 24;

    @Test
    void aBlockThatSparkWritesToDiskTakesNoMemory() {
        try (JavaSparkContext context = Clusters.start(Clusters.ONE_SLOT, Map.of("spark.memory.fraction", "0.001"));
                ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            long before = DirectMemory.bytes();
            BlockMemory memory = new BlockMemory(LARGE);
            memory.bytes().put(LARGE / 2, (byte) 7);

            Handle handle = blocks.put("large", memory);

            assertThat(DirectMemory.bytes() - before).isLessThan(LARGE);
            byte[] expected = new byte[LARGE];
            expected[LARGE / 2] = 7;
            assertThat(blocks.fetch(handle)).isEqualTo(expected);
        }
    }

    @Test
    void aBlockLiesInMemoryThatIsSetAsideOutsideTheHeap() {
        Map<String, String> settings = Map.of(
                "spark.memory.fraction", "0.001",
                "spark.memory.offHeap.enabled", "true",
                "spark.memory.offHeap.size", "64m");
        try (JavaSparkContext context = Clusters.start(Clusters.ONE_SLOT, settings);
                ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            long before = DirectMemory.bytes();
            BlockMemory memory = new BlockMemory(LARGE);
            memory.bytes().put(LARGE / 2, (byte) 7);

            Handle handle = blocks.put("large", memory);

            assertThat(DirectMemory.bytes() - before).isBetween((long) LARGE, 2L * LARGE - 1);
            assertThat(blocks.fetch(handle)[LARGE / 2]).isEqualTo((byte) 7);
            blocks.forget("large");
            assertThat(DirectMemory.bytes() - before).isLessThan(LARGE);
        }
    }
}
