package org.sparkqlora.optim;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/**
 * Moves a flat vector of parameters against its gradient. State is walked page by page: load, update, store, next; no more
 * than one page a thread is decoded at a time. The result does not depend on threads, page size or where pages are kept.
 */
public final class Optimizer implements AutoCloseable {
    private final OptimizerSpec spec;
    private final UpdateRule rule;
    private final List<StatePage> pages;
    private final PageStore store;
    private final Workers workers;

    Optimizer(OptimizerSpec spec, List<StatePage> pages, PageStore store, Workers workers) {
        this.spec = spec;
        this.rule = UpdateRule.of(spec);
        this.pages = pages;
        this.store = store;
        this.workers = workers;
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
        List<ElementUpdate> updates = updates(learningRate, stepFromOne);
        workers.forRanges(pages.size(), 1, (from, to) -> {
            Scratch scratch = new Scratch();
            for (int page = (int) from; page < to; page++) {
                scratch.load(page, parameters, gradient);
                scratch.scaleGradient(gradientScale);
                updates.get(page)
                        .apply(
                                scratch.parameters,
                                scratch.gradient,
                                scratch.states,
                                pages.get(page).count());
                scratch.store(page, parameters);
            }
        });
    }

    /** The arithmetic of each page. */
    private List<ElementUpdate> updates(double learningRate, long stepFromOne) {
        Map<ParameterGroup, ElementUpdate> byGroup = new HashMap<>();
        return pages.stream()
                .map(page -> byGroup.computeIfAbsent(
                        page.group(),
                        group -> UpdateRule.of(spec.in(group)).at(learningRate * group.rateFactor(), stepFromOne)))
                .toList();
    }

    /** Writes the state; a paged optimiser and its plain twin write the same bytes. */
    public void save(DataOutput output) throws IOException {
        StateHeader.of(spec, elements(), stateBytes()).write(output);
        byte[] bytes = new byte[largestPage()];
        for (int page = 0; page < store.pages(); page++) {
            store.read(page, bytes);
            output.write(bytes, 0, store.byteSize(page));
        }
    }

    /** Replaces the state by one that an optimiser of the same kind, but for paging, and for the same tensors saved. */
    public void load(DataInput input) throws IOException {
        StateHeader.of(spec, elements(), stateBytes()).require(StateHeader.read(input));
        byte[] bytes = new byte[largestPage()];
        for (int page = 0; page < store.pages(); page++) {
            input.readFully(bytes, 0, store.byteSize(page));
            store.write(page, bytes);
        }
    }

    /** An optimiser with the same state that goes its own way from here. */
    public Optimizer copy() {
        return new Optimizer(spec, pages, store.copy(), workers);
    }

    /** Bytes that the state takes. */
    public long stateBytes() {
        return pages.stream().mapToLong(StatePage::byteSize).sum();
    }

    @Override
    public void close() {
        store.close();
    }

    private long elements() {
        return pages.stream().mapToLong(StatePage::count).sum();
    }

    private int largestPage() {
        return pages.stream().mapToInt(StatePage::byteSize).max().orElse(0);
    }

    private void requireLength(String what, FlatVector vector) {
        if (vector.length() != elements()) {
            throw new IllegalArgumentException(
                    "Cannot take a step: expected %d %s, found %d".formatted(elements(), what, vector.length()));
        }
    }

    /** One page, decoded. */
    private final class Scratch {
        private final ByteBuffer bytes = ByteBuffer.allocate(largestPage()).order(ByteOrder.LITTLE_ENDIAN);
        private final float[] parameters = new float[longestPage()];
        private final float[] gradient = new float[longestPage()];
        private final float[][] states = new float[rule.states().size()][longestPage()];

        private int longestPage() {
            return pages.stream().mapToInt(StatePage::count).max().orElse(0);
        }

        private void load(int page, FlatVector allParameters, FlatVector allGradients) {
            StatePage run = pages.get(page);
            allParameters.read(run.from(), parameters, 0, run.count());
            allGradients.read(run.from(), gradient, 0, run.count());
            store.read(page, bytes.array());
            run.decode(bytes.rewind(), states);
        }

        private void scaleGradient(float factor) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] *= factor;
            }
        }

        private void store(int page, FlatVector allParameters) {
            StatePage run = pages.get(page);
            allParameters.write(run.from(), parameters, 0, run.count());
            run.encode(states, bytes.rewind());
            store.write(page, bytes.array());
        }
    }
}
