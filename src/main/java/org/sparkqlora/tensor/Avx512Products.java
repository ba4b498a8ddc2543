package org.sparkqlora.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link VectorProducts} in registers of AVX-512, which hold 16 rows each. The sums are written out, as Java keeps them in registers only where
 * each is a variable.
 */
final class Avx512Products {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final int LENGTH = 16;

    private Avx512Products() {}

    /**
     * Adds the terms {@code from} to {@code to - 1} up from zero, in order, and then to {@code sums}.
     *
     * @param rows (k, 16)
     * @param columns (8, {@code terms})
     * @param sums (8, 16)
     */
    static void addToSixteenRows(float[] rows, float[] columns, int terms, int from, int to, float[] sums) {
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        FloatVector e = a;
        FloatVector f = a;
        FloatVector g = a;
        FloatVector h = a;
        for (int k = from; k < to; k++) {
            FloatVector row = FloatVector.fromArray(FLOATS, rows, k * LENGTH);
            a = row.fma(FloatVector.broadcast(FLOATS, columns[k]), a);
            b = row.fma(FloatVector.broadcast(FLOATS, columns[terms + k]), b);
            c = row.fma(FloatVector.broadcast(FLOATS, columns[2 * terms + k]), c);
            d = row.fma(FloatVector.broadcast(FLOATS, columns[3 * terms + k]), d);
            e = row.fma(FloatVector.broadcast(FLOATS, columns[4 * terms + k]), e);
            f = row.fma(FloatVector.broadcast(FLOATS, columns[5 * terms + k]), f);
            g = row.fma(FloatVector.broadcast(FLOATS, columns[6 * terms + k]), g);
            h = row.fma(FloatVector.broadcast(FLOATS, columns[7 * terms + k]), h);
        }

        addTo(sums, 0, a);
        addTo(sums, LENGTH, b);
        addTo(sums, 2 * LENGTH, c);
        addTo(sums, 3 * LENGTH, d);
        addTo(sums, 4 * LENGTH, e);
        addTo(sums, 5 * LENGTH, f);
        addTo(sums, 6 * LENGTH, g);
        addTo(sums, 7 * LENGTH, h);
    }

    /**
     * As {@link #addToSixteenRows}, of twice as many rows.
     *
     * @param rows (k, 32)
     * @param columns (8, {@code terms})
     * @param sums (8, 32)
     */
    static void addToThirtyTwoRows(float[] rows, float[] columns, int terms, int from, int to, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        FloatVector e0 = a0;
        FloatVector e1 = a0;
        FloatVector f0 = a0;
        FloatVector f1 = a0;
        FloatVector g0 = a0;
        FloatVector g1 = a0;
        FloatVector h0 = a0;
        FloatVector h1 = a0;
        for (int k = from; k < to; k++) {
            FloatVector upper = FloatVector.fromArray(FLOATS, rows, 2 * k * LENGTH);
            FloatVector lower = FloatVector.fromArray(FLOATS, rows, (2 * k + 1) * LENGTH);
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
            FloatVector e = FloatVector.broadcast(FLOATS, columns[4 * terms + k]);
            e0 = upper.fma(e, e0);
            e1 = lower.fma(e, e1);
            FloatVector f = FloatVector.broadcast(FLOATS, columns[5 * terms + k]);
            f0 = upper.fma(f, f0);
            f1 = lower.fma(f, f1);
            FloatVector g = FloatVector.broadcast(FLOATS, columns[6 * terms + k]);
            g0 = upper.fma(g, g0);
            g1 = lower.fma(g, g1);
            FloatVector h = FloatVector.broadcast(FLOATS, columns[7 * terms + k]);
            h0 = upper.fma(h, h0);
            h1 = lower.fma(h, h1);
        }

        addTo(sums, 0, a0);
        addTo(sums, LENGTH, a1);
        addTo(sums, 2 * LENGTH, b0);
        addTo(sums, 3 * LENGTH, b1);
        addTo(sums, 4 * LENGTH, c0);
        addTo(sums, 5 * LENGTH, c1);
        addTo(sums, 6 * LENGTH, d0);
        addTo(sums, 7 * LENGTH, d1);
        addTo(sums, 8 * LENGTH, e0);
        addTo(sums, 9 * LENGTH, e1);
        addTo(sums, 10 * LENGTH, f0);
        addTo(sums, 11 * LENGTH, f1);
        addTo(sums, 12 * LENGTH, g0);
        addTo(sums, 13 * LENGTH, g1);
        addTo(sums, 14 * LENGTH, h0);
        addTo(sums, 15 * LENGTH, h1);
    }

    private static void addTo(float[] sums, int at, FloatVector vector) {
        FloatVector.fromArray(FLOATS, sums, at).add(vector).intoArray(sums, at);
    }
}
