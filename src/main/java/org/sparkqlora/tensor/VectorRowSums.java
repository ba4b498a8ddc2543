package org.sparkqlora.tensor;

import static org.sparkqlora.tensor.VectorRowMath.widened;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Sums of weighted rows, by two registers of columns. */
final class VectorRowSums {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LENGTH = FLOATS.length();

    private VectorRowSums() {}

    static void add(WeightedSums sums, int count, float[] rows, int at, int width) {
        int pairs = width - width % (2 * LENGTH);
        for (int j = 0; j < pairs; j += 2 * LENGTH) {
            for (int sum = 0; sum < sums.count(); sum++) {
                addPair(sums, sum, count, rows, at + j, width, j);
            }
        }

        int end = FLOATS.loopBound(width);
        for (int sum = 0; sum < sums.count() && pairs < end; sum++) {
            int to = sums.target(sum) + pairs;
            FloatVector total = FloatVector.fromArray(FLOATS, sums.target(), to);
            for (int i = 0; i < count; i++) {
                FloatVector row = FloatVector.fromArray(FLOATS, rows, at + i * width + pairs);
                total = total.add(row.mul(sums.weights()[sums.weight(sum) + i]));
            }

            total.intoArray(sums.target(), to);
        }

        ScalarRowMath.addRows(sums, count, rows, at, width, end);
    }

    /** Two registers of columns: the processor adds to one while it waits for the other. */
    private static void addPair(WeightedSums sums, int sum, int count, float[] rows, int at, int width, int j) {
        float[] weights = sums.weights();
        int from = sums.weight(sum);
        int to = sums.target(sum) + j;
        FloatVector a = FloatVector.fromArray(FLOATS, sums.target(), to);
        FloatVector b = FloatVector.fromArray(FLOATS, sums.target(), to + LENGTH);
        for (int i = 0; i < count; i++) {
            FloatVector weight = FloatVector.broadcast(FLOATS, weights[from + i]);
            a = a.add(FloatVector.fromArray(FLOATS, rows, at + i * width).mul(weight));
            b = b.add(
                    FloatVector.fromArray(FLOATS, rows, at + i * width + LENGTH).mul(weight));
        }

        a.intoArray(sums.target(), to);
        b.intoArray(sums.target(), to + LENGTH);
    }

    static void add(WeightedSums sums, int count, short[] rows, int at, int width) {
        int pairs = width - width % (2 * LENGTH);
        for (int j = 0; j < pairs; j += 2 * LENGTH) {
            int sum = 0;
            for (; sum + 2 < sums.count(); sum += 3) {
                addThreePairs(sums, sum, count, rows, at + j, width, j);
            }

            for (; sum < sums.count(); sum++) {
                addPair(sums, sum, count, rows, at + j, width, j);
            }
        }

        int end = FLOATS.loopBound(width);
        for (int sum = 0; sum < sums.count() && pairs < end; sum++) {
            int to = sums.target(sum) + pairs;
            FloatVector total = FloatVector.fromArray(FLOATS, sums.target(), to);
            for (int i = 0; i < count; i++) {
                total = total.add(widened(rows, at + i * width + pairs).mul(sums.weights()[sums.weight(sum) + i]));
            }

            total.intoArray(sums.target(), to);
        }

        ScalarRowMath.addRows(sums, count, rows, at, width, end);
    }

    private static void addPair(WeightedSums sums, int sum, int count, short[] rows, int at, int width, int j) {
        float[] weights = sums.weights();
        int from = sums.weight(sum);
        int to = sums.target(sum) + j;
        FloatVector a = FloatVector.fromArray(FLOATS, sums.target(), to);
        FloatVector b = FloatVector.fromArray(FLOATS, sums.target(), to + LENGTH);
        for (int i = 0; i < count; i++) {
            FloatVector weight = FloatVector.broadcast(FLOATS, weights[from + i]);
            a = a.add(widened(rows, at + i * width).mul(weight));
            b = b.add(widened(rows, at + i * width + LENGTH).mul(weight));
        }

        a.intoArray(sums.target(), to);
        b.intoArray(sums.target(), to + LENGTH);
    }

    /** What is widened once serves three sums. */
    private static void addThreePairs(WeightedSums sums, int sum, int count, short[] rows, int at, int width, int j) {
        float[] weights = sums.weights();
        float[] target = sums.target();
        int weight = sums.weight(sum);
        int stride = sums.weightStride();
        int first = sums.target(sum) + j;
        int second = sums.target(sum + 1) + j;
        int third = sums.target(sum + 2) + j;
        FloatVector a = FloatVector.fromArray(FLOATS, target, first);
        FloatVector b = FloatVector.fromArray(FLOATS, target, first + LENGTH);
        FloatVector c = FloatVector.fromArray(FLOATS, target, second);
        FloatVector d = FloatVector.fromArray(FLOATS, target, second + LENGTH);
        FloatVector e = FloatVector.fromArray(FLOATS, target, third);
        FloatVector f = FloatVector.fromArray(FLOATS, target, third + LENGTH);
        for (int i = 0; i < count; i++) {
            FloatVector left = widened(rows, at + i * width);
            FloatVector right = widened(rows, at + i * width + LENGTH);
            FloatVector one = FloatVector.broadcast(FLOATS, weights[weight + i]);
            a = a.add(left.mul(one));
            b = b.add(right.mul(one));
            FloatVector two = FloatVector.broadcast(FLOATS, weights[weight + stride + i]);
            c = c.add(left.mul(two));
            d = d.add(right.mul(two));
            FloatVector three = FloatVector.broadcast(FLOATS, weights[weight + 2 * stride + i]);
            e = e.add(left.mul(three));
            f = f.add(right.mul(three));
        }

        a.intoArray(target, first);
        b.intoArray(target, first + LENGTH);
        c.intoArray(target, second);
        d.intoArray(target, second + LENGTH);
        e.intoArray(target, third);
        f.intoArray(target, third + LENGTH);
    }
}
