package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpochOrderTest {
    @ParameterizedTest(name = "{0} rows")
    @ValueSource(longs = {1, 2, 3, 4, 5, 16, 17, 1000, 4097})
    void everyEpochVisitsEveryRowOnce(long rows) {
        for (long epoch = 0; epoch < 3; epoch++) {
            long start = epoch * rows;
            assertThat(LongStream.range(start, start + rows)
                            .map(p -> EpochOrder.shuffled(7, p, rows))
                            .sorted())
                    .containsExactlyElementsOf(() -> LongStream.range(0, rows).iterator());
        }
    }

    @Test
    void epochsAndSeedsDiffer() {
        assertThat(order(1, 0))
                .isNotEqualTo(order(1, 100))
                .isNotEqualTo(order(2, 0))
                .isEqualTo(order(1, 0));
    }

    @Test
    void shuffledRowsDoNotKeepTheirNeighbours() {
        long[] order = order(3, 0);
        long neighbours = LongStream.range(1, order.length)
                .filter(i -> Math.abs(order[(int) i] - order[(int) i - 1]) == 1)
                .count();
        assertThat(neighbours).isLessThan(10);
    }

    @Test
    void fileOrderGoesRoundAndRound() {
        assertThat(LongStream.range(0, 7).map(p -> EpochOrder.inFileOrder(p, 3)))
                .containsExactly(0L, 1L, 2L, 0L, 1L, 2L, 0L);
    }

    @Test
    void refusesAStreamWithoutRows() {
        assertThatThrownBy(() -> EpochOrder.shuffled(1, 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot find the row at position 0 of 0 rows: expected a position from 0 and at least 1 row");
    }

    private static long[] order(long seed, long start) {
        return LongStream.range(start, start + 100)
                .map(position -> EpochOrder.shuffled(seed, position, 100))
                .toArray();
    }
}
