package org.sparkqlora.optim;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** Makes optimisers whose state is all zero. */
public final class Optimizers {
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
        PageBudget cut = PageBudget.of(spec, Paging.DEFAULT, workers.threads());
        return create(spec, tensors, workers, cut, HeapPageStore::new);
    }

    /** An optimiser that keeps its state as {@code paging} says if its kind is a paged one; files go below {@code folder}. */
    public static Optimizer create(
            OptimizerSpec spec, List<OptimizedTensor> tensors, Workers workers, Paging paging, Path folder) {
        PageBudget cut = PageBudget.of(spec, paging, workers.threads());
        return create(spec, tensors, workers, cut, storage(spec, paging, folder));
    }

    /**
     * An optimiser whose pages are updated by {@code gpu}, to the same bits, two at a time within the window. Another rule than AdamW's
     * is left to the processor.
     */
    public static Optimizer create(
            OptimizerSpec spec,
            List<OptimizedTensor> tensors,
            Workers workers,
            Paging paging,
            Path folder,
            GpuAdamW gpu) {
        if (!(UpdateRule.of(spec) instanceof AdamWRule)) {
            return create(spec, tensors, workers, paging, folder);
        }

        return create(spec, tensors, workers, PageBudget.ofGpu(spec, paging), storage(spec, paging, folder), gpu);
    }

    private static PageStore.Factory storage(OptimizerSpec spec, Paging paging, Path folder) {
        boolean inFile = spec.kind().paged() && paging.place() == PagePlace.FILE;
        return inFile ? byteSizes -> new FilePageStore(folder, byteSizes) : HeapPageStore::new;
    }

    static Optimizer create(
            OptimizerSpec spec,
            List<OptimizedTensor> tensors,
            Workers workers,
            PageBudget cut,
            PageStore.Factory storage) {
        return create(spec, tensors, workers, cut, storage, null);
    }

    private static Optimizer create(
            OptimizerSpec spec,
            List<OptimizedTensor> tensors,
            Workers workers,
            PageBudget cut,
            PageStore.Factory storage,
            @Nullable GpuAdamW gpu) {
        return create(spec, pages(spec, tensors, cut.elements()), cut, workers, storage, gpu);
    }

    /** @param pages as long as {@code cut} has them */
    static Optimizer create(
            OptimizerSpec spec,
            List<StatePage> pages,
            PageBudget cut,
            Workers workers,
            PageStore.Factory storage,
            @Nullable GpuAdamW gpu) {
        int[] byteSizes = pages.stream().mapToInt(StatePage::byteSize).toArray();
        return new Optimizer(spec, pages, storage.open(byteSizes), workers, cut, gpu);
    }

    /** Numbers that the state has for every parameter. */
    public static int states(OptimizerSpec spec) {
        return UpdateRule.of(spec).states().size();
    }

    /** Bytes of state that {@link #create} would make room for. They do not depend on the size of pages; large ones are few. */
    public static long stateBytes(OptimizerSpec spec, long[] tensorSizes) {
        return OptimizerPart.whole(spec, OptimizedTensor.alike(tensorSizes)).stateBytes();
    }

    /** Bytes of the buffers that {@code threads} threads update in. */
    public static long bufferBytes(OptimizerSpec spec, long[] tensorSizes, Paging paging, int threads) {
        PageBudget cut = PageBudget.of(spec, paging, threads);
        List<StateLayout.Run> runs = runs(spec, OptimizedTensor.alike(tensorSizes));
        long pages = runs.stream().mapToLong(run -> run.count(cut.elements())).sum();
        return Math.min(cut.lanes(), pages) * PageLane.byteSize(longest(runs, cut), states(spec));
    }

    /** Bytes of GPU memory that a step takes whose pages pass through a GPU; as many of the host's are pinned. None but AdamW's do. */
    public static long gpuWindowBytes(OptimizerSpec spec, long[] tensorSizes, Paging paging) {
        if (!(UpdateRule.of(spec) instanceof AdamWRule)) {
            return 0;
        }

        PageBudget cut = PageBudget.ofGpu(spec, paging);
        return GpuLane.byteSize(longest(runs(spec, OptimizedTensor.alike(tensorSizes)), cut));
    }

    /** The longest page of each run: of a large model a million others are shorter or alike. */
    private static List<StatePage> longest(List<StateLayout.Run> runs, PageBudget cut) {
        return runs.stream().map(run -> run.first(cut.elements())).toList();
    }

    private static List<StatePage> pages(OptimizerSpec spec, List<OptimizedTensor> tensors, int pageElements) {
        return runs(spec, tensors).stream()
                .flatMap(run -> run.pages(pageElements))
                .toList();
    }

    static List<StateLayout.Run> runs(OptimizerSpec spec, List<OptimizedTensor> tensors) {
        List<StateRange> states = UpdateRule.of(spec).states();
        return spec.kind().eightBit() ? StateLayout.eightBit(states, tensors) : StateLayout.float32(states, tensors);
    }
}
