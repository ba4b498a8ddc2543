package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract of every blockwise code, checked against its definition in {@code double}. */
@NullMarked
abstract class BlockCodecContract {
    /** Scaling and comparing in float32 may prefer a level that is farther by a rounding error of the block's absmax. */
    private static final double ROUNDING = 4e-7;

    /** The values of all sixteen or 256 codes, in any order. */
    abstract float[] levels();

    abstract int blockSize();

    /** Quantises {@code values}, any number of them, and turns the codes back into numbers. */
    abstract float[] roundTrip(float[] values);

    static LongStream seeds() {
        return LongStream.range(0, 8);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyValueBecomesTheNearestLevelOfItsBlock(long seed) {
        float[] values = values(seed);
        float[] found = roundTrip(values);

        for (int i = 0; i < values.length; i++) {
            double absmax = absmaxOfBlock(values, i);
            double error = Math.abs((double) found[i] - values[i]);
            assertThat(error)
                    .as("error of element %d, %s in a block of absmax %s", i, values[i], absmax)
                    .isLessThanOrEqualTo(smallestError(values[i], absmax) + ROUNDING * absmax);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void errorIsAtMostHalfAStepOfTheBlock(long seed) {
        float[] values = values(seed);
        float[] found = roundTrip(values);
        double halfStep = widestStep() / 2;

        for (int i = 0; i < values.length; i++) {
            double absmax = absmaxOfBlock(values, i);
            assertThat(Math.abs((double) found[i] - values[i]))
                    .as("error of element %d", i)
                    .isLessThanOrEqualTo((halfStep + ROUNDING) * absmax);
        }
    }

    @Test
    void aBlockOfZerosStaysZero() {
        assertThat(roundTrip(new float[3 * blockSize() + 1])).containsOnly(0f);
    }

    @Test
    void zerosStayZeroAmongOtherValues() {
        float[] values = new float[blockSize()];
        values[3] = 2.5f;

        float[] found = roundTrip(values);

        assertThat(found[3]).isEqualTo(2.5f);
        found[3] = 0;
        assertThat(found).containsOnly(0f);
    }

    @Test
    void blocksDoNotSeeEachOther() {
        float[] one = values(1);
        float[] louder = one.clone();
        louder[blockSize()] = 1e6f;

        float[] found = roundTrip(louder);

        assertThat(Arrays.copyOf(found, blockSize())).isEqualTo(Arrays.copyOf(roundTrip(one), blockSize()));
    }

    /** A few blocks of different magnitude, the last in part and of an odd number. */
    private float[] values(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[4 * blockSize() + 1 + 2 * random.nextInt(blockSize() / 2)];
        for (int i = 0; i < values.length; i++) {
            double magnitude = Math.pow(10, i / blockSize() % 4 * 3 - 6);
            values[i] = (float) (magnitude * (smallest() + (1 - smallest()) * random.nextDouble()));
        }

        return values;
    }

    private double smallest() {
        double smallest = 0;
        for (float level : levels()) {
            smallest = Math.min(smallest, level);
        }

        return smallest;
    }

    private double absmaxOfBlock(float[] values, int index) {
        int from = index - index % blockSize();
        double absmax = 0;
        for (int i = from; i < Math.min(values.length, from + blockSize()); i++) {
            absmax = Math.max(absmax, Math.abs((double) values[i]));
        }

        return absmax;
    }

    private double smallestError(double value, double absmax) {
        double error = Double.POSITIVE_INFINITY;
        for (float level : levels()) {
            error = Math.min(error, Math.abs(level * absmax - value));
        }

        return error;
    }

    private double widestStep() {
        float[] ascending = levels();
        Arrays.sort(ascending);
        double widest = 0;
        for (int i = 1; i < ascending.length; i++) {
            widest = Math.max(widest, (double) ascending[i] - ascending[i - 1]);
        }

        return widest;
    }
}
