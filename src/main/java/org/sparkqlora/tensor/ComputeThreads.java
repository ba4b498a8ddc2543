package org.sparkqlora.tensor;

import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.Workers;

/**
 * The threads of a pass, and what works with them. Several passes may use one team at once.
 *
 * @param threads of libtorch's operations, which has a team of its own for each thread that calls it
 * @param workers as many, for what Java does between them
 */
public record ComputeThreads(int threads, Workers workers, FourBitDequantizer dequantizer, Hardware hardware)
        implements AutoCloseable {
    public static ComputeThreads of(int threads, Hardware.Source source) {
        Workers workers = new Workers(threads);
        return new ComputeThreads(threads, workers, new FourBitDequantizer(workers), source.open(workers));
    }

    /** A team of another size on the same hardware. */
    public ComputeThreads resized(int size) {
        return of(size, hardware::sharedBy);
    }

    @Override
    public void close() {
        workers.close();
    }
}
