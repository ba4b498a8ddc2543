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
        return create(spec, tensorSizes, workers, PAGE_ELEMENTS, HeapPageStore::new);
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
        List<StateRange> states = UpdateRule.of(spec).states();
        List<StatePage> pages = spec.kind().eightBit()
                ? StateLayout.eightBit(states, tensorSizes, pageElements)
                : StateLayout.float32(states, tensorSizes, pageElements);
        int[] byteSizes = pages.stream().mapToInt(StatePage::byteSize).toArray();
        return new Optimizer(spec, pages, storage.open(byteSizes), workers);
    }
}
