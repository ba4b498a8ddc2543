package org.sparkqlora.optim;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/**
 * Moves a flat vector of parameters against its gradient. State is walked page by page: load, update, store, next; a thread
 * has no more than two pages in work. The result does not depend on threads, page size or where pages are kept.
 */
public final class Optimizer implements AutoCloseable {
    private final OptimizerSpec spec;
    private final List<StatePage> pages;
    private final PageStore store;
    private final Workers workers;
    private final PageBudget cut;
    private final PageWindow window;
    private final @Nullable GpuAdamW gpu;

    /** @param gpu what updates pages; null where the threads of {@code workers} do */
    Optimizer(
            OptimizerSpec spec,
            List<StatePage> pages,
            PageStore store,
            Workers workers,
            PageBudget cut,
            @Nullable GpuAdamW gpu) {
        this.spec = spec;
        this.pages = pages;
        this.store = store;
        this.workers = workers;
        this.cut = cut;
        this.window = new PageWindow(cut.windowBytes());
        this.gpu = gpu;
    }

    public OptimizerSpec spec() {
        return spec;
    }

    /**
     * Takes one step.
     *
     * @param gradientScale what every gradient is multiplied by first: clipping, and division by the number of tokens
     * @param stepFromOne number of this step, the first one being 1
     */
    public void step(
            FlatVector parameters, FlatVector gradient, float gradientScale, double learningRate, long stepFromOne) {
        requireLength("parameters", parameters);
        requireLength("gradients", gradient);
        PagedStep step =
                new PagedStep(pages, store, parameters, gradient, gradientScale, updates(learningRate, stepFromOne));
        if (gpu != null) {
            walk(step, gpu);
            return;
        }

        long pagesOfLane = ((long) pages.size() + cut.lanes() - 1) / cut.lanes();
        workers.forRanges(pages.size(), pagesOfLane, (from, to) -> walk(step, (int) from, (int) to));
    }

    /** The arithmetic of each page. */
    private List<UpdateRule.ElementUpdate> updates(double learningRate, long stepFromOne) {
        Map<ParameterGroup, UpdateRule.ElementUpdate> byGroup = new HashMap<>();
        return pages.stream()
                .map(page -> byGroup.computeIfAbsent(
                        page.group(),
                        group -> UpdateRule.of(spec.in(group)).at(learningRate * group.rateFactor(), stepFromOne)))
                .toList();
    }

    private void walk(PagedStep step, int from, int to) {
        if (!spec.kind().paged()) {
            walk(step, from, to, Runnable::run);
            return;
        }

        ExecutorService beside = Executors.newSingleThreadExecutor(Workers.daemons("optimizer-pager"));
        try {
            walk(step, from, to, beside);
        } finally {
            beside.shutdown();
        }
    }

    private void walk(PagedStep step, int from, int to, Executor beside) {
        try (PageLane lane = new PageLane(step, UpdateRule.of(spec).states().size(), window, beside)) {
            lane.walk(from, to);
        }
    }

    private void walk(PagedStep step, GpuAdamW kernel) {
        try (GpuLane lane = new GpuLane(step, window, kernel)) {
            lane.walk();
        }
    }

    /** Writes the state; a paged optimiser and its plain twin write the same bytes. */
    public void save(DataOutput output) throws IOException {
        StateHeader.of(spec, elements(), stateBytes()).write(output);
        byte[] bytes = new byte[StatePage.largest(pages)];
        for (int page = 0; page < store.pages(); page++) {
            store.read(page, bytes);
            output.write(bytes, 0, store.byteSize(page));
        }
    }

    /** The count of bytes that {@link #save} writes. */
    public long savedBytes() {
        return header().length + stateBytes();
    }

    /** Fills {@code target} with the bytes of {@link #save} from {@code from} on; no others are touched. */
    public void readSaved(long from, ByteBuffer target) {
        byte[] header = header();
        long at = from + putSlice(header, from, header.length, target);
        long start = header.length;
        byte[] bytes = new byte[StatePage.largest(pages)];
        for (int page = 0; page < store.pages() && target.hasRemaining(); page++) {
            int size = store.byteSize(page);
            if (at < start + size) {
                store.read(page, bytes);
                at += putSlice(bytes, at - start, size, target);
            }

            start += size;
        }
    }

    private byte[] header() {
        return StateHeader.of(spec, elements(), stateBytes()).toBytes();
    }

    /** Puts what has room of the bytes from {@code from} on, and tells how many those are; none where they end before. */
    private static int putSlice(byte[] bytes, long from, int end, ByteBuffer target) {
        int count = (int) Math.max(0, Math.min(end - from, target.remaining()));
        if (count > 0) {
            target.put(bytes, (int) from, count);
        }

        return count;
    }

    /** Replaces the state by one that an optimiser of the same kind, but for paging, and for the same tensors saved. */
    public void load(DataInput input) throws IOException {
        StateHeader.of(spec, elements(), stateBytes()).require(StateHeader.read(input));
        byte[] bytes = new byte[StatePage.largest(pages)];
        for (int page = 0; page < store.pages(); page++) {
            input.readFully(bytes, 0, store.byteSize(page));
            store.write(page, bytes);
        }
    }

    /**
     * The state as numbers: all elements of the first state, then all of the next.
     *
     * @param at where they go in {@code target}
     */
    public void readStates(FlatVector target, long at) {
        eachPage((run, states, bytes, page) -> {
            store.read(page, bytes.array());
            run.decode(bytes.rewind(), states);
            for (int state = 0; state < states.length; state++) {
                target.write(at + state * elements() + run.from(), states[state], 0, run.count());
            }
        });
    }

    /** Replaces the state by what {@link #readStates} gives, or by a mean of such: in 8 bits it is rounded again. */
    public void writeStates(FlatVector source, long at) {
        eachPage((run, states, bytes, page) -> {
            for (int state = 0; state < states.length; state++) {
                source.read(at + state * elements() + run.from(), states[state], 0, run.count());
            }

            run.encode(states, bytes.rewind());
            store.write(page, bytes.array());
        });
    }

    private void eachPage(PageAction action) {
        int longest = pages.stream().mapToInt(StatePage::count).max().orElse(0);
        float[][] states = new float[Optimizers.states(spec)][longest];
        ByteBuffer bytes = ByteBuffer.allocate(StatePage.largest(pages)).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < pages.size(); page++) {
            action.apply(pages.get(page), states, bytes, page);
        }
    }

    /** An optimiser with the same state that goes its own way from here. */
    public Optimizer copy() {
        return new Optimizer(spec, pages, store.copy(), workers, cut, gpu);
    }

    /** Bytes that the state takes. */
    public long stateBytes() {
        return pages.stream().mapToLong(StatePage::byteSize).sum();
    }

    /**
     * The most bytes that steps have held at once: buffers of the pages in work, on a GPU if that updates, and, unless it is paged, the
     * whole state.
     * Counted where they are taken.
     */
    public long residentBytes() {
        return window.peakBytes() + (spec.kind().paged() ? 0 : stateBytes());
    }

    @Override
    public void close() {
        store.close();
    }

    private long elements() {
        return pages.stream().mapToLong(StatePage::count).sum();
    }

    /** Acts on a page, with room for its states as numbers and for its bytes. */
    private interface PageAction {
        void apply(StatePage run, float[][] states, ByteBuffer bytes, int page);
    }

    private void requireLength(String what, FlatVector vector) {
        if (vector.length() != elements()) {
            throw new BadInputException(
                    "Cannot take a step: expected %d %s, found %d".formatted(elements(), what, vector.length()));
        }
    }
}
