package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Beside the same multiply-adds one by one, bit for bit; Java computes vectors that a processor lacks in another way. */
class Avx512ProductsTest {
    private static final int TERMS = 77;
    private static final int FROM = 5;
    private static final int TO = 70;
    private static final int COLUMNS = 8;

    private final Random chance = new Random(1);

    @Test
    void addsTermsInOrderForSixteenRows() {
        float[] rows = numbers(TERMS * 16);
        float[] columns = numbers(COLUMNS * TERMS);
        float[] sums = numbers(COLUMNS * 16);
        float[] expected = expected(16, rows, columns, sums);
        Avx512Products.addToSixteenRows(rows, columns, TERMS, FROM, TO, sums);
        assertThat(sums).isEqualTo(expected);
    }

    @Test
    void addsTermsInOrderForThirtyTwoRows() {
        float[] rows = numbers(TERMS * 32);
        float[] columns = numbers(COLUMNS * TERMS);
        float[] sums = numbers(COLUMNS * 32);
        float[] expected = expected(32, rows, columns, sums);
        Avx512Products.addToThirtyTwoRows(rows, columns, TERMS, FROM, TO, sums);
        assertThat(sums).isEqualTo(expected);
    }

    private static float[] expected(int height, float[] rows, float[] columns, float[] sums) {
        float[] expected = sums.clone();
        for (int at = 0; at < expected.length; at++) {
            float sum = 0;
            for (int k = FROM; k < TO; k++) {
                sum = Math.fma(rows[k * height + at % height], columns[at / height * TERMS + k], sum);
            }

            expected[at] += sum;
        }

        return expected;
    }

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) chance.nextGaussian();
        }

        return numbers;
    }
}
