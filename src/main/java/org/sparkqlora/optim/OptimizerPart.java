package org.sparkqlora.optim;

import java.io.DataInput;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/**
 * Neighbouring parameters whose optimiser state lies apart from that of the others, as ZeRO stage 1 cuts it (arXiv 1910.02054). The states
 * of all parts, one after the other, are the bytes of the whole optimiser's.
 *
 * @param spec of the optimiser
 * @param tensors all that it moves
 * @param from first element in the flat vector
 * @param to the element after the last one
 */
public record OptimizerPart(OptimizerSpec spec, List<OptimizedTensor> tensors, long from, long to)
        implements Serializable {
    /** Elements whose state is cut nowhere. */
    public static final int BLOCK = StateFormat.BLOCK;

    private static final long serialVersionUID = 1L;

    /** The bytes of a state do not depend on the size of pages; large ones are few. */
    private static final int LARGEST_PAGE = 1 << 24;

    public OptimizerPart {
        tensors = List.copyOf(tensors);
    }

    /** All parameters as one part. */
    public static OptimizerPart whole(OptimizerSpec spec, List<OptimizedTensor> tensors) {
        long elements = tensors.stream().mapToLong(OptimizedTensor::size).sum();
        return new OptimizerPart(spec, tensors, 0, elements);
    }

    /**
     * This part, cut at {@code starts} or less than {@link #BLOCK} elements before: no block of state straddles two parts.
     *
     * @param starts rising, the first of which is this part's
     */
    public List<OptimizerPart> cut(long... starts) {
        List<StateLayout.Run> runs = Optimizers.runs(spec, tensors);
        List<OptimizerPart> parts = new ArrayList<>();
        for (int part = 0; part < starts.length; part++) {
            long end = part + 1 < starts.length ? blockStart(runs, starts[part + 1]) : to;
            parts.add(new OptimizerPart(spec, tensors, blockStart(runs, starts[part]), end));
        }

        return parts;
    }

    private static long blockStart(List<StateLayout.Run> runs, long element) {
        return runs.stream()
                .filter(run -> run.from() <= element && element < run.to())
                .mapToLong(run -> element - (element - run.from()) % StateFormat.BLOCK)
                .findFirst()
                .orElse(element);
    }

    /** The count of parameters. */
    public long length() {
        return to - from;
    }

    /** Bytes of the state. */
    public long stateBytes() {
        return pages(LARGEST_PAGE).mapToLong(StatePage::byteSize).sum();
    }

    /** Bytes of the state of all parameters before these. */
    public long stateStart() {
        return new OptimizerPart(spec, tensors, 0, from).stateBytes();
    }

    /** What {@link Optimizer#save} writes before the state. */
    public byte[] savedHeader() {
        return header().toBytes();
    }

    /** Reads what {@link #savedHeader} gives. */
    public void requireHeader(DataInput input) throws IOException {
        header().require(StateHeader.read(input));
    }

    private StateHeader header() {
        OptimizerPart whole = whole(spec, tensors);
        return StateHeader.of(spec, whole.to(), whole.stateBytes());
    }

    /**
     * The optimiser of this part alone.
     *
     * @param state its state, all zero at the start, which stays the caller's
     * @param gpu what updates pages; null where the threads of {@code workers} do
     */
    public Optimizer open(ByteBuffer state, Workers workers, Paging paging, @Nullable GpuAdamW gpu) {
        GpuAdamW updating = UpdateRule.of(spec) instanceof AdamWRule ? gpu : null;
        PageBudget budget =
                updating == null ? PageBudget.of(spec, paging, workers.threads()) : PageBudget.ofGpu(spec, paging);
        return Optimizers.create(
                spec,
                pages(budget.elements()).toList(),
                budget,
                workers,
                byteSizes -> new BufferPageStore(state, byteSizes),
                updating);
    }

    private Stream<StatePage> pages(int elements) {
        return Optimizers.runs(spec, tensors).stream()
                .flatMap(run -> run.within(from, to).stream())
                .flatMap(run -> run.pages(elements));
    }

    /** Takes the numbers of parts. */
    public interface Sink {
        /** Takes the parameters of {@code part} as {@code filler} sets them. */
        void parameters(OptimizerPart part, Filler<FlatVector> filler) throws IOException;

        /** Takes the optimiser state of {@code part}, which is zero before {@code filler} sets it. */
        void state(OptimizerPart part, Filler<ByteBuffer> filler) throws IOException;
    }

    /** Sets numbers, which it may not keep. */
    @FunctionalInterface
    public interface Filler<T> {
        void fill(T numbers) throws IOException;
    }
}
