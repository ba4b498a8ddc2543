package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.train.BatchPlan.RowOrder;

class BatchPlanTest {
    @ParameterizedTest(name = "{0} shards")
    @ValueSource(ints = {1, 2, 3, 7, 8, 11})
    void shardsTogetherAreTheBatchWhateverTheirNumber(int shards) {
        BatchPlan batches = new BatchPlan(100, 8, 2, shards, RowOrder.SHUFFLED, 80);
        long[] together = IntStream.range(0, shards)
                .mapToObj(shard -> batches.rowsOf(3, shard, 42))
                .flatMapToLong(Arrays::stream)
                .toArray();

        assertThat(together)
                .containsExactly(LongStream.range(24, 32)
                        .map(p -> EpochOrder.shuffled(42, p, 100))
                        .toArray());
    }

    @Test
    void refusesMoreStepsThanItCanCount() {
        long most = Integer.MAX_VALUE;
        BatchPlan longest = new BatchPlan(300, 2, 1, 1, RowOrder.SHUFFLED, 2 * most);

        assertThat(longest.steps()).isEqualTo(Integer.MAX_VALUE);
        for (long end : new long[] {2 * most + 1, BatchPlan.endOfEpochs(1e9, 300), BatchPlan.endOfEpochs(1e300, 300)}) {
            assertThatThrownBy(() -> new BatchPlan(300, 2, 1, 1, RowOrder.SHUFFLED, end))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "Cannot plan to take %d rows in steps of 2: expected at most 2147483647 steps. Lower --epochs, or give --max-steps",
                            end);
        }
    }

    @Test
    void lastBatchEndsWhereTheEpochsEnd() {
        BatchPlan batches = new BatchPlan(10, 4, 2, 2, RowOrder.FILE_ORDER, BatchPlan.endOfEpochs(1.5, 10));

        assertThat(batches.steps()).isEqualTo(4);
        assertThat(batches.size(2)).isEqualTo(4);
        assertThat(batches.size(3)).isEqualTo(3);
        assertThat(batches.rowsOf(3, 0, 1)).containsExactly(2);
        assertThat(batches.rowsOf(3, 1, 1)).containsExactly(3, 4);
    }

    @Test
    void refusesAStepBehindTheEnd() {
        BatchPlan batches = new BatchPlan(10, 4, 2, 2, RowOrder.FILE_ORDER, 10);
        assertThatThrownBy(() -> batches.size(3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot find the batch of step 3 of 3");
    }

    @Test
    void refusesABatchOfNothing() {
        assertThatThrownBy(() -> new BatchPlan(10, 0, 2, 2, RowOrder.FILE_ORDER, 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot plan batches with batch size 0: expected at least 1");
    }
}
