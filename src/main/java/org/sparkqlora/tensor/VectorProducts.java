package org.sparkqlora.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The part of a product that stays in registers: 8 sums, as a processor begins two multiply-adds a cycle and ends each after four. */
final class VectorProducts {
    /** Rows of a part: two registers of AVX2, or one of AVX-512. */
    private static final int ROWS = 16;
    /** Whether a register holds as many. */
    static final boolean AVX512 = FloatVector.SPECIES_PREFERRED.length() >= ROWS;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_256;
    private static final int LENGTH = ROWS / 2;
    /** Rows of a part, at most. */
    static final int MOST_ROWS = AVX512 ? 2 * ROWS : ROWS;
    /** Columns of a part. */
    static final int COLUMNS = AVX512 ? 8 : 4;

    private VectorProducts() {}

    /** Rows of the next part where {@code left} are left. */
    static int rows(int left) {
        return left > ROWS ? MOST_ROWS : ROWS;
    }

    /**
     * Adds the terms {@code from} to {@code to - 1} up from zero, in order, and then to {@code sums}.
     *
     * @param height as {@link #rows} gives it
     * @param rows (k, {@code height})
     * @param columns ({@link #COLUMNS}, {@code terms})
     * @param sums ({@link #COLUMNS}, {@code height})
     */
    static void add(int height, float[] rows, float[] columns, int terms, int from, int to, float[] sums) {
        if (!AVX512) {
            addByAvx2(rows, columns, terms, from, to, sums);
        } else if (height == ROWS) {
            Avx512Products.addToSixteenRows(rows, columns, terms, from, to, sums);
        } else {
            Avx512Products.addToThirtyTwoRows(rows, columns, terms, from, to, sums);
        }
    }

    private static void addByAvx2(float[] rows, float[] columns, int terms, int from, int to, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        for (int k = from; k < to; k++) {
            FloatVector upper = FloatVector.fromArray(FLOATS, rows, k * ROWS);
            FloatVector lower = FloatVector.fromArray(FLOATS, rows, k * ROWS + LENGTH);
            FloatVector a = FloatVector.broadcast(FLOATS, columns[k]);
            a0 = upper.fma(a, a0);
            a1 = lower.fma(a, a1);
            FloatVector b = FloatVector.broadcast(FLOATS, columns[terms + k]);
            b0 = upper.fma(b, b0);
            b1 = lower.fma(b, b1);
            FloatVector c = FloatVector.broadcast(FLOATS, columns[2 * terms + k]);
            c0 = upper.fma(c, c0);
            c1 = lower.fma(c, c1);
            FloatVector d = FloatVector.broadcast(FLOATS, columns[3 * terms + k]);
            d0 = upper.fma(d, d0);
            d1 = lower.fma(d, d1);
        }

        addTo(sums, 0, a0, a1);
        addTo(sums, ROWS, b0, b1);
        addTo(sums, 2 * ROWS, c0, c1);
        addTo(sums, 3 * ROWS, d0, d1);
    }

    private static void addTo(float[] sums, int at, FloatVector upper, FloatVector lower) {
        FloatVector.fromArray(FLOATS, sums, at).add(upper).intoArray(sums, at);
        FloatVector.fromArray(FLOATS, sums, at + LENGTH).add(lower).intoArray(sums, at + LENGTH);
    }
}
