package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SliceLayoutTest {
    @ParameterizedTest(name = "{0} elements, {1} slices, {2} parts")
    @CsvSource({"0, 1, 1", "1, 5, 3", "7, 3, 2", "1000003, 17, 5", "5000000000, 30000, 700"})
    void slicesAndPartsCoverTheVectorOnce(long length, int slices, int parts) {
        SliceLayout layout = new SliceLayout(length, slices, parts);

        assertThat(layout.start(0)).isZero();
        assertThat(layout.start(slices)).isEqualTo(length);
        assertThat(IntStream.range(0, slices).mapToLong(layout::size).sum()).isEqualTo(length);
        assertThat(IntStream.range(0, parts).mapToLong(layout::sizeOfPart).sum())
                .isEqualTo(length);
        for (int part = 0; part < parts; part++) {
            assertThat(layout.partOf(layout.firstSlice(part))).isEqualTo(part);
            assertThat(layout.partOf(layout.firstSlice(part + 1) - 1)).isEqualTo(part);
        }
    }

    @ParameterizedTest(name = "{0} elements on {1} slots")
    @CsvSource({"1, 1", "300, 8", "50000000, 2", "3000000000, 64"})
    void everyPartIsAsSmallAsItPromises(long length, int slots) {
        SliceLayout layout = SliceLayout.of(length, slots);

        assertThat(layout.parts()).isGreaterThanOrEqualTo(slots);
        assertThat(layout.bytesOfPart()).isLessThanOrEqualTo(SliceLayout.mostBytesOfPart(length) + 8L * slots);
        assertThat(IntStream.range(0, layout.parts()).map(layout::sizeOfPart))
                .allMatch(size -> (long) size * Float.BYTES <= layout.bytesOfPart());
    }

    @Test
    void refusesMorePartsThanSlices() {
        assertThatThrownBy(() -> new SliceLayout(10, 2, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot cut 10 elements into 2 slices for 3 tasks: expected at least one slice a task");
    }
}
