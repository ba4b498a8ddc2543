package org.sparkqlora.weights;

import java.util.concurrent.atomic.AtomicLong;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredTensor;

/** Looks for numbers that are not finite. Of a 4-bit weight every code is finite, and its scales are
 * checked wherever it is opened. */
final class FiniteCheck {
    private static final int PIECE = 1 << 16;

    private final WeightFolder folder;
    private final Workers workers;

    FiniteCheck(WeightFolder folder, Workers workers) {
        this.folder = folder;
        this.workers = workers;
    }

    void run() {
        for (String name : folder.names()) {
            if (folder.fourBit(name).isEmpty()) {
                check(folder.tensor(name), workers);
            }
        }
    }

    /** Throws an error if {@code tensor} has a number that is not finite. */
    static void check(StoredTensor tensor, Workers workers) {
        if (!tensor.type().isFloat()) {
            return;
        }

        FloatSource source = tensor.asFloats();
        long first = firstNotFinite(source, workers);
        if (first < source.length()) {
            float[] value = new float[1];
            source.read(first, value, 1);
            throw new InvalidWeightsException(
                    "Cannot use weight %s of %s: expected a finite number at index %d, found %s"
                            .formatted(tensor.name(), tensor.file(), first, value[0]));
        }
    }

    private static long firstNotFinite(FloatSource source, Workers workers) {
        AtomicLong first = new AtomicLong(source.length());
        workers.forRanges(source.length(), PIECE, (from, to) -> scan(source, from, to, first));
        return first.get();
    }

    private static void scan(FloatSource source, long from, long to, AtomicLong first) {
        float[] values = new float[PIECE];
        for (long at = from; at < to; at += PIECE) {
            int count = (int) Math.min(PIECE, to - at);
            source.read(at, values, count);
            for (int i = 0; i < count; i++) {
                if (!Float.isFinite(values[i])) {
                    first.accumulateAndGet(at + i, Math::min);
                    return;
                }
            }
        }
    }
}
