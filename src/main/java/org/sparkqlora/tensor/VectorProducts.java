package org.sparkqlora.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The part of a product that stays in registers: 8 sums, as a processor begins two multiply-adds a cycle and ends each after four. */
final class VectorProducts {
    /** Rows of a part: two registers. */
    static final int ROWS = 16;
    /** Columns of a part. */
    static final int COLUMNS = 4;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_256;
    private static final int LENGTH = ROWS / 2;

    private VectorProducts() {}

    /**
     * Adds the terms {@code from} to {@code to - 1} up from zero, in order, and then to {@code sums}.
     *
     * @param rows (k, 16)
     * @param columns (4, {@code terms})
     * @param sums (4, 16)
     */
    static void add(float[] rows, float[] columns, int terms, int from, int to, float[] sums) {
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
