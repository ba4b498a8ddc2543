package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SourceInterleavingTest {
    static LongStream seeds() {
        return LongStream.range(0, 50);
    }

    @Test
    void sevenAndThreeOfTenAlternate() {
        SourceInterleaving order = new SourceInterleaving(new long[] {7, 3});

        assertThat(LongStream.range(0, 10).mapToObj(order::at).map(SourceInterleaving.Place::source))
                .containsExactly(0, 1, 0, 0, 0, 1, 0, 0, 1, 0);
    }

    @Test
    void billionsOfRowsHaveAPlace() {
        long rows = 2_000_000_000L;

        assertThat(new SourceInterleaving(new long[] {rows, rows}).at(2 * rows - 1))
                .isEqualTo(new SourceInterleaving.Place(1, rows - 1));
    }

    /** Against sorting all rows by how far along their source they are. */
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyRowHasItsPlaceByHowFarAlongItIs(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] sizes = random.longs(random.nextInt(1, 5), 0, 40).toArray();
        List<SourceInterleaving.Place> sorted = new ArrayList<>();
        for (int source = 0; source < sizes.length; source++) {
            for (long row = 0; row < sizes[source]; row++) {
                sorted.add(new SourceInterleaving.Place(source, row));
            }
        }

        long all = Arrays.stream(sizes).map(size -> Math.max(1, size)).reduce(1, (a, b) -> a * b);
        sorted.sort(Comparator.comparingLong(
                        (SourceInterleaving.Place place) -> (2 * place.row() + 1) * (all / sizes[place.source()]))
                .thenComparingInt(SourceInterleaving.Place::source));

        SourceInterleaving order = new SourceInterleaving(sizes);
        assertThat(LongStream.range(0, sorted.size()).mapToObj(order::at).toList())
                .isEqualTo(sorted);
    }
}
