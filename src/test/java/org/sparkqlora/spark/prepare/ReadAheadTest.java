package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadAheadTest {
    private final List<List<Long>> started = new ArrayList<>();
    private final ReadAhead ahead = new ReadAhead(this::start, 4);

    @Test
    void aBatchAfterOneThatWasForeseenIsReadAheadAndOnce() {
        read(batch(1), batch(2));
        assertThat(started).containsExactly(List.of(1L));

        read(batch(2), batch(3));
        read(batch(3), batch());
        assertThat(started).containsExactly(List.of(1L), List.of(2L), List.of(3L));
    }

    @Test
    void shardsThatMoveBetweenProcessesAreNotReadAhead() {
        read(batch(1), batch(2));
        read(batch(20), batch(30));
        read(batch(300), batch(400));

        assertThat(started).containsExactly(List.of(1L), List.of(20L), List.of(300L));
    }

    @Test
    void aStepThatIsTakenAgainIsReadAgain() {
        read(batch(1), batch(2));
        read(batch(2), batch(3));
        read(batch(2), batch(3));

        assertThat(started).containsExactly(List.of(1L), List.of(2L), List.of(3L), List.of(2L));
    }

    @Test
    void theOldestOfTooManyRowsAreForgotten() {
        read(batch(1), batch(10, 11));
        read(batch(2), batch(20, 21));
        read(batch(3), batch(30, 31));
        started.clear();

        read(batch(10, 11), batch());
        read(batch(20, 21), batch(22));

        assertThat(started).containsExactly(List.of(10L, 11L), List.of(20L, 21L), List.of(22L));
    }

    @Test
    void aBatchThatIsTooLongIsNotReadAhead() {
        read(batch(1), batch(2));
        read(batch(2), batch(1, 2, 3, 4, 5));

        assertThat(started).containsExactly(List.of(1L), List.of(2L));
    }

    private void read(long[] now, long[] next) {
        ahead.read(now, next);
    }

    private static long[] batch(long... rows) {
        return rows;
    }

    private RowBatch start(long... rows) {
        started.add(Arrays.stream(rows).boxed().toList());
        return RowBatch.start(0, List.of(), range -> new byte[0], Runnable::run);
    }
}
