package org.sparkqlora.optim;

import java.util.List;
import org.sparkqlora.tensor.cuda.AdamWFactors;
import org.sparkqlora.tensor.cuda.AdamWPage;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/**
 * A walk over all pages with room for two of them on a GPU: while one is updated there, the one before comes back and the one after
 * goes there.
 */
final class GpuLane implements AutoCloseable {
    private final PagedStep step;
    private final PageWindow window;
    private final long bytes;
    private final PageFrame frame;
    private final List<AdamWPage> buffers;

    /** @param window of GPU memory, is asked for room */
    GpuLane(PagedStep step, PageWindow window, GpuAdamW kernel) {
        int elements = StatePage.longest(step.pages());
        int stateBytes = StatePage.largest(step.pages());
        this.step = step;
        this.window = window;
        this.bytes = byteSize(step.pages());
        this.frame = PageFrame.of(stateBytes, elements);
        window.take(bytes);
        this.buffers = List.of(kernel.page(elements, stateBytes), kernel.page(elements, stateBytes));
    }

    /** Bytes of GPU memory that a walk over {@code pages} takes. */
    static long byteSize(List<StatePage> pages) {
        return 2 * AdamWPage.byteSize(StatePage.longest(pages), StatePage.largest(pages));
    }

    void walk() {
        int pages = step.pages().size();
        for (int page = 0; page < pages + buffers.size(); page++) {
            int before = page - buffers.size();
            if (before >= 0 && before < pages) {
                collect(before);
            }

            if (page < pages) {
                send(page);
            }
        }
    }

    /** Waits for what is under way, whose memory goes. */
    @Override
    public void close() {
        buffers.forEach(AdamWPage::await);
        buffers.forEach(AdamWPage::close);
        window.giveBack(bytes);
    }

    private void send(int page) {
        StatePage run = step.pages().get(page);
        AdamWPage buffer = buffer(page);
        step.load(page, frame);
        buffer.parameters().put(frame.parameters(), 0, run.count());
        buffer.gradients().put(frame.gradient(), 0, run.count());
        buffer.state().put(frame.state().array(), 0, run.byteSize());
        AdamWFactors factors = factors(page);
        if (run.formats().contains(StateFormat.Float32Format.INSTANCE)) {
            buffer.startFloat32(run.count(), run.byteSize(), factors);
        } else {
            buffer.startEightBit(run.count(), run.byteSize(), factors);
        }
    }

    private void collect(int page) {
        StatePage run = step.pages().get(page);
        AdamWPage buffer = buffer(page);
        buffer.await();
        buffer.parameters().get(frame.parameters(), 0, run.count());
        buffer.state().get(frame.state().array(), 0, run.byteSize());
        step.store(page, frame);
    }

    private AdamWPage buffer(int page) {
        return buffers.get(page % buffers.size());
    }

    private AdamWFactors factors(int page) {
        if (step.updates().get(page) instanceof AdamWRule.Step update) {
            return update.factors(step.gradientScale());
        }

        throw new IllegalStateException("Cannot update on a GPU by another rule than AdamW's");
    }
}
