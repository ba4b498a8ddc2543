package org.sparkqlora.weights;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.MappedPages;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredNumbers;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredType;

/** Looks for numbers that are not finite. Of a 4-bit weight every code is finite, and its scales are
 * checked wherever it is opened. */
record FiniteCheck(WeightFolder folder, Workers workers) {
    private static final int PIECE = 1 << 16;

    /** Numbers in memory at once. */
    private static final long SLAB = 1 << 24;

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

        if (!tensor.isPlain()) {
            checkConverted(tensor, workers);
            return;
        }

        long numbers = tensor.byteSize() / tensor.type().bytes();
        for (long from = 0; from < numbers; from += SLAB) {
            check(tensor, from, (int) Math.min(SLAB, numbers - from), workers);
        }
    }

    /** Some rows at a time. */
    private static void checkConverted(StoredTensor tensor, Workers workers) {
        FloatSource source = tensor.asFloats();
        int width = Math.toIntExact(tensor.shape()[1]);
        int piece = Math.max(1, PIECE / width) * width;
        AtomicLong first = new AtomicLong(Long.MAX_VALUE);
        workers.forRanges(source.length() / width, piece / width, (begin, end) -> {
            float[] values = new float[piece];
            for (long at = begin * width; at < end * width; at += piece) {
                int count = (int) Math.min(piece, end * width - at);
                source.read(at, values, count);
                int found = notFinite(values, count);
                if (found < count) {
                    first.accumulateAndGet(at + found, Math::min);
                    return;
                }
            }
        });
        if (first.get() < source.length()) {
            float[] value = new float[1];
            source.read(first.get(), value, 1);
            throw notFinite(tensor, first.get(), value[0]);
        }
    }

    /** The first such number; {@code count} without one. */
    private static int notFinite(float[] values, int count) {
        int at = 0;
        while (at < count && Float.isFinite(values[at])) {
            at++;
        }

        return at;
    }

    private static InvalidWeightsException notFinite(StoredTensor tensor, long index, float found) {
        return new InvalidWeightsException("Cannot use weight %s of %s: expected a finite number at index %d, found %s"
                .formatted(tensor.name(), tensor.file(), index, found));
    }

    /** Looks at a part, and gives back what of the file it had in memory: a model may be larger than that. */
    private static void check(StoredTensor tensor, long from, int count, Workers workers) {
        int width = tensor.type().bytes();
        ByteBuffer slab = tensor.buffer(from * width, count * width);
        AtomicInteger first = new AtomicInteger(count);
        workers.forRanges(count, PIECE, (begin, end) -> scan(tensor.type(), slab, begin, end, first));
        if (first.get() < count) {
            float[] value = new float[1];
            StoredNumbers.widen(tensor.type(), slab, first.get(), value, 0, 1);
            throw notFinite(tensor, from + first.get(), value[0]);
        }

        if (MappedPages.areSupported()) {
            MappedPages.of(slab).giveBack();
        }
    }

    private static void scan(StoredType type, ByteBuffer slab, long from, long to, AtomicInteger first) {
        float[] values = new float[PIECE];
        for (int at = (int) from; at < to; at += PIECE) {
            int count = (int) Math.min(PIECE, to - at);
            StoredNumbers.widen(type, slab, at, values, 0, count);
            int found = notFinite(values, count);
            if (found < count) {
                first.accumulateAndGet(at + found, Math::min);
                return;
            }
        }
    }
}
