package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@NullMarked
class WorkersTest {
    @ParameterizedTest(name = "{0} threads, {1} indices, grain {2}")
    @CsvSource({"1, 10, 4", "2, 10, 4", "3, 10, 4", "3, 1, 4", "3, 0, 4", "4, 64, 16", "5, 7, 1", "2, 1001, 100"})
    void everyIndexIsVisitedOnceInRangesOfTheGrain(int threads, int total, int grain) {
        AtomicIntegerArray visits = new AtomicIntegerArray(total);
        try (Workers workers = new Workers(threads)) {
            workers.forRanges(total, grain, (from, to) -> {
                assertThat(from % grain).isZero();
                assertThat(to == total || to % grain == 0).isTrue();
                for (long i = from; i < to; i++) {
                    visits.incrementAndGet((int) i);
                }
            });
        }

        for (int i = 0; i < total; i++) {
            assertThat(visits.get(i)).isEqualTo(1);
        }
    }

    @Test
    void aFailureReachesTheCallerWithTheOthersSuppressed() {
        try (Workers workers = new Workers(3)) {
            assertThatThrownBy(() -> workers.forRanges(3, 1, (from, to) -> {
                        throw new IllegalStateException("range " + from);
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("range 0")
                    .satisfies(failure -> assertThat(failure.getSuppressed()).hasSize(2));
        }
    }

    @Test
    void refusesToWorkWithoutThreads() {
        assertThatThrownBy(() -> new Workers(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot work with 0 threads: at least 1 is needed");
    }
}
