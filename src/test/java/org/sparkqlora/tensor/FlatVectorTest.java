package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class FlatVectorTest {
    private static final long ACROSS_CHUNKS = (1L << 24) + 10;

    @Test
    void readsWhatWasWrittenAcrossAChunkBorder() {
        FlatVector vector = FlatVector.zeros(ACROSS_CHUNKS);
        float[] values = {1, 2, 3, 4, 5, 6};
        vector.write((1L << 24) - 3, values, 0, 6);
        vector.add((1L << 24) - 3, values, 0, 6);

        float[] read = new float[6];
        vector.read((1L << 24) - 3, read, 0, 6);

        assertThat(read).containsExactly(2, 4, 6, 8, 10, 12);
        assertThat(vector.get(1L << 24)).isEqualTo(8);
        assertThat(vector.sumOfSquares()).isEqualTo(4 * 91.0);
    }

    @Test
    void copyIsIndependentOfItsOriginal() {
        FlatVector vector = FlatVector.of(1, 2, 3);
        FlatVector copy = vector.copy();
        vector.scale(2);
        copy.addAll(vector);

        assertThat(copy.get(2)).isEqualTo(9);
        assertThat(vector.get(2)).isEqualTo(6);
    }

    @Test
    void refusesVectorsOfOtherLength() {
        assertThatThrownBy(() -> FlatVector.zeros(3).addAll(FlatVector.zeros(4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot combine vectors of 3 and 4 elements");
    }

    @Test
    void refusesRangesOutside() {
        assertThatThrownBy(() -> FlatVector.zeros(3).write(2, new float[2], 0, 2))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("Range [2, 2 + 2) out of bounds for length 3");
    }
}
