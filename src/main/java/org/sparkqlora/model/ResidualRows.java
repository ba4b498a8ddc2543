package org.sparkqlora.model;

import org.sparkqlora.model.AdapterMerge.LowRankFactors;
import org.sparkqlora.quant.FloatSource;

/**
 * What is left of a weight once {@code scale * B A} was taken out of it, computed where it is read, in the reader's thread: in
 * float64, rank by rank, rounded once, so that every host has the same bits. Safe for concurrent reads.
 */
record ResidualRows(FloatSource base, LowRankFactors factors) implements FloatSource {
    @Override
    public long length() {
        return base.length();
    }

    @Override
    public void read(long from, float[] target, int count) {
        base.read(from, target, count);
        double[] row = new double[Math.min(count, factors.inputs())];
        for (int done = 0; done < count; ) {
            int column = (int) ((from + done) % factors.inputs());
            int length = Math.min(count - done, factors.inputs() - column);
            take(target, done, length, row, Math.toIntExact((from + done) / factors.inputs()), column);
            done += length;
        }
    }

    private void take(float[] target, int at, int length, double[] values, int row, int column) {
        for (int i = 0; i < length; i++) {
            values[i] = target[at + i];
        }

        for (int r = 0; r < factors.rank(); r++) {
            double factor = factors.scale() * factors.up()[row * factors.rank() + r];
            int from = r * factors.inputs() + column;
            for (int i = 0; i < length; i++) {
                values[i] -= factor * factors.down()[from + i];
            }
        }

        for (int i = 0; i < length; i++) {
            target[at + i] = (float) values[i];
        }
    }
}
