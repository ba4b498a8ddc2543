package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class NearestLevelTest {
    static Stream<float[]> maps() {
        return Stream.of(FourBitCode.NF4.levels(), DynamicMap.signed(), DynamicMap.unsigned());
    }

    @ParameterizedTest
    @MethodSource("maps")
    void aTieGoesToTheLowerLevelAndTheNextNumberToTheHigher(float[] levels) {
        NearestLevel nearest = new NearestLevel(levels);
        for (int i = 0; i + 1 < levels.length; i++) {
            float midpoint = (levels[i] + levels[i + 1]) / 2f;

            assertThat(nearest.index(midpoint)).as("tie %d", i).isEqualTo(i);
            assertThat(nearest.index(Math.nextUp(midpoint)))
                    .as("above tie %d", i)
                    .isEqualTo(i + 1);
            assertThat(nearest.index(Math.nextDown(midpoint)))
                    .as("below tie %d", i)
                    .isEqualTo(i);
        }
    }

    @ParameterizedTest
    @MethodSource("maps")
    void everyLevelIsItsOwnNearest(float[] levels) {
        NearestLevel nearest = new NearestLevel(levels);
        for (int i = 0; i < levels.length; i++) {
            assertThat(nearest.index(levels[i])).isEqualTo(i);
        }
    }

    @ParameterizedTest
    @MethodSource("maps")
    void bothZerosAreTheSameNumber(float[] levels) {
        NearestLevel nearest = new NearestLevel(levels);

        assertThat(nearest.index(-0f)).isEqualTo(nearest.index(0f));
        assertThat(levels[nearest.index(0f)]).isZero();
    }
}
