package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SliceLayoutTest {
    @ParameterizedTest(name = "{0} elements, slices of {1}, {2} parts")
    @CsvSource({"0, 1, 1", "1, 5, 1", "7, 3, 2", "1000003, 60000, 5", "5000000000, 262144, 700"})
    void slicesAndPartsCoverTheVectorOnce(long length, int sliceLength, int parts) {
        SliceLayout layout = new SliceLayout(length, sliceLength, parts);

        assertThat(layout.start(0)).isZero();
        assertThat(layout.start(layout.slices())).isEqualTo(length);
        assertThat(IntStream.range(0, layout.slices()).mapToLong(layout::size).sum())
                .isEqualTo(length);
        assertThat(IntStream.range(0, parts).mapToLong(layout::sizeOfPart).sum())
                .isEqualTo(length);
    }

    /** About 16 MiB a part, a part a slot where there are slices, and at most 32 but for vectors of gigabytes. */
    @ParameterizedTest(name = "{0} elements on {1} slots in {2} parts")
    @CsvSource({
        "1, 1, 1",
        "300, 8, 1",
        "1000000, 2, 2",
        "1000000, 64, 4",
        "5000000, 2, 2",
        "50000000, 2, 12",
        "50000000, 5, 15",
        "50000000, 1000, 32",
        "7000000000, 64, 418"
    })
    void partsGrowWithTheVectorAndNotWithTheCluster(long length, int slots, int parts) {
        assertThat(SliceLayout.of(length, slots).parts()).isEqualTo(parts);
    }

    @ParameterizedTest(name = "{0} parts")
    @ValueSource(ints = {0, 6})
    void refusesPartsWithoutSlices(int parts) {
        assertThatThrownBy(() -> new SliceLayout(10, 2, parts))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot cut 10 elements into slices of 2 for %d parts: expected a part at least, and a slice a part",
                        parts);
    }
}
