package org.sparkqlora.optim;

import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.quant.Workers;

/** Makes optimisers whose state is all zero. */
public final class Optimizers {
    /** Enough to amortise a hand-over, little enough for a thread's second-level cache. */
    private static final int PAGE_ELEMENTS = 1 << 16;

    private Optimizers() {}

    /**
     * An optimiser that keeps its state in memory, whatever its kind.
     *
     * @param tensorSizes number of elements of every tensor, in the order of the flat vector
     */
    public static Optimizer create(OptimizerSpec spec, long[] tensorSizes, Workers workers) {
        return create(spec, OptimizedTensor.alike(tensorSizes), workers);
    }

    /** As {@link #create(OptimizerSpec, long[], Workers)} for tensors that need not be treated alike. */
    public static Optimizer create(OptimizerSpec spec, List<OptimizedTensor> tensors, Workers workers) {
        return create(spec, tensors, workers, PAGE_ELEMENTS, HeapPageStore::new);
    }

    /** An optimiser that keeps its state in a file below {@code pageFolder} if its kind is a paged one. */
    public static Optimizer create(OptimizerSpec spec, long[] tensorSizes, Workers workers, Path pageFolder) {
        if (!spec.kind().paged()) {
            return create(spec, tensorSizes, workers);
        }

        return create(spec, tensorSizes, workers, PAGE_ELEMENTS, byteSizes -> new FilePageStore(pageFolder, byteSizes));
    }

    /** @param pageElements elements of a page, a multiple of 256 */
    static Optimizer create(
            OptimizerSpec spec, long[] tensorSizes, Workers workers, int pageElements, PageStore.Factory storage) {
        return create(spec, OptimizedTensor.alike(tensorSizes), workers, pageElements, storage);
    }

    private static Optimizer create(
            OptimizerSpec spec,
            List<OptimizedTensor> tensors,
            Workers workers,
            int pageElements,
            PageStore.Factory storage) {
        List<StatePage> pages = pages(spec, tensors, pageElements);
        int[] byteSizes = pages.stream().mapToInt(StatePage::byteSize).toArray();
        return new Optimizer(spec, pages, storage.open(byteSizes), workers);
    }

    /** Bytes of state that {@link #create} would make room for. */
    public static long stateBytes(OptimizerSpec spec, long[] tensorSizes) {
        return pages(spec, OptimizedTensor.alike(tensorSizes), PAGE_ELEMENTS).stream()
                .mapToLong(StatePage::byteSize)
                .sum();
    }

    /** Bytes that one thread of a paged optimiser works in: a page as stored, and its parameters, gradients and states decoded. */
    public static long windowBytes(OptimizerSpec spec, long[] tensorSizes) {
        List<StatePage> pages = pages(spec, OptimizedTensor.alike(tensorSizes), PAGE_ELEMENTS);
        long stored = pages.stream().mapToLong(StatePage::byteSize).max().orElse(0);
        long elements = pages.stream().mapToLong(StatePage::count).max().orElse(0);
        return stored
                + elements * Float.BYTES * (2 + UpdateRule.of(spec).states().size());
    }

    private static List<StatePage> pages(OptimizerSpec spec, List<OptimizedTensor> tensors, int pageElements) {
        List<StateRange> states = UpdateRule.of(spec).states();
        return spec.kind().eightBit()
                ? StateLayout.eightBit(states, tensors, pageElements)
                : StateLayout.float32(states, tensors, pageElements);
    }
}
