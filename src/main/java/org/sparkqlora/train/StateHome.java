package org.sparkqlora.train;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.Optimizer;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/**
 * Storage and threads for the States of a process. They affect speed and memory, no bit of a State.
 *
 * @param workers threads of an update
 * @param paging of an optimiser that pages
 * @param folder for scratch files, on a local disk
 * @param gpu updates pages in place of the workers, by AdamW's rule; null without one
 */
public record StateHome(
        Workers workers,
        Paging paging,
        Path folder,
        @Nullable GpuAdamW gpu) {
    /** States that the processor updates. */
    public StateHome(Workers workers, Paging paging, Path folder) {
        this(workers, paging, folder, null);
    }

    /** States that lie in memory whole. */
    public static StateHome inMemory(Workers workers) {
        return new StateHome(workers, Paging.DEFAULT, Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** A vector of zeros: in a file if the optimiser pages to a file and the vector is larger than its window. */
    public FlatVector zeros(OptimizerSpec spec, long length) {
        return keepsInFile(spec, length) ? FlatVector.zerosInFile(folder, length) : FlatVector.zeros(length);
    }

    /** Whether vectors of this length lie in files. */
    public boolean keepsInFile(OptimizerSpec spec, long length) {
        boolean pages = spec.kind().paged() && paging.place() == PagePlace.FILE;
        return pages && length * Float.BYTES > paging.windowBytes();
    }

    /** An optimiser of {@code part} alone, whose state is {@code state}. */
    public Optimizer optimizer(OptimizerPart part, ByteBuffer state) {
        return part.open(state, workers, paging, gpu);
    }

    Optimizer optimizer(OptimizerSpec spec, List<OptimizedTensor> tensors) {
        return gpu == null
                ? Optimizers.create(spec, tensors, workers, paging, folder)
                : Optimizers.create(spec, tensors, workers, paging, folder, gpu);
    }
}
