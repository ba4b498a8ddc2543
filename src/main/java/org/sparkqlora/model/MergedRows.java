package org.sparkqlora.model;

import org.sparkqlora.model.AdapterMerge.LowRankFactors;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;

/** A base weight with its adapter, computed by whole rows; the last rows stay, so that pieces that cut a row cost nothing twice. */
final class MergedRows implements FloatSource {
    /** Rows computed ahead hold about this many weights. */
    private static final int AHEAD = 1 << 20;

    private final FloatSource base;
    private final LowRankFactors factors;
    private final Workers workers;
    private final float[] ready;
    private long readyFrom;
    private long readyTo;

    MergedRows(FloatSource base, LowRankFactors factors, Workers workers) {
        this.base = base;
        this.factors = factors;
        this.workers = workers;
        int rows = Math.max(1, AHEAD / factors.inputs());
        this.ready = new float[Math.toIntExact(Math.min(base.length(), (long) rows * factors.inputs()))];
    }

    @Override
    public long length() {
        return base.length();
    }

    @Override
    public synchronized void read(long from, float[] target, int count) {
        for (int done = 0; done < count; ) {
            long at = from + done;
            if (at < readyFrom || at >= readyTo) {
                computeFrom(at - at % factors.inputs());
            }

            int length = (int) Math.min(count - done, readyTo - at);
            System.arraycopy(ready, (int) (at - readyFrom), target, done, length);
            done += length;
        }
    }

    private void computeFrom(long start) {
        int inputs = factors.inputs();
        int rows = (int) (Math.min(ready.length, length() - start) / inputs);
        int firstRow = Math.toIntExact(start / inputs);
        readyTo = readyFrom; // nothing is ready if a row cannot be read
        workers.forRanges(rows, 1, (from, to) -> {
            Row row = new Row(inputs);
            for (int r = (int) from; r < to; r++) {
                row.compute(firstRow + r, r * inputs);
            }
        });
        readyFrom = start;
        readyTo = start + (long) rows * inputs;
    }

    /** Buffers of one thread. */
    private final class Row {
        private final float[] stored;
        private final double[] values;

        private Row(int inputs) {
            this.stored = new float[inputs];
            this.values = new double[inputs];
        }

        private void compute(int row, int target) {
            base.read((long) row * stored.length, stored, stored.length);
            for (int i = 0; i < stored.length; i++) {
                values[i] = stored[i];
            }

            factors.addTo(values, row);
            factors.resize(values, row);
            for (int i = 0; i < stored.length; i++) {
                ready[target + i] = (float) values[i];
            }
        }
    }
}
