package org.sparkqlora.optim;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * One thread's walk over neighbouring pages with two frames: while the page in one frame is updated, the page before leaves
 * the other for the store and the page after is loaded into it.
 */
final class PageLane implements AutoCloseable {
    private final PagedStep step;
    private final Executor beside;
    private final PageWindow window;
    private final long bytes;
    private final float[][] states;
    private PageFrame current;
    private PageFrame other;

    /**
     * @param states number of states
     * @param window is asked for room
     * @param beside runs loads and stores
     */
    PageLane(PagedStep step, int states, PageWindow window, Executor beside) {
        int elements = StatePage.longest(step.pages());
        int stateBytes = StatePage.largest(step.pages());
        this.step = step;
        this.beside = beside;
        this.window = window;
        this.bytes = byteSize(step.pages(), states);
        window.take(bytes);
        this.states = new float[states][elements];
        this.current = PageFrame.of(stateBytes, elements);
        this.other = PageFrame.of(stateBytes, elements);
    }

    /** Bytes of the buffers of one lane over {@code pages}. */
    static long byteSize(List<StatePage> pages, int states) {
        int elements = StatePage.longest(pages);
        return 2 * PageFrame.byteSize(StatePage.largest(pages), elements) + (long) Float.BYTES * states * elements;
    }

    /** Updates pages {@code from} to before {@code to}. */
    void walk(int from, int to) {
        step.load(from, current);
        for (int page = from; page < to; page++) {
            int before = page - 1;
            int after = page + 1;
            PageFrame moving = other;
            CompletableFuture<Void> exchange = CompletableFuture.runAsync(
                    () -> {
                        if (before >= from) {
                            step.store(before, moving);
                        }

                        if (after < to) {
                            step.load(after, moving);
                        }
                    },
                    beside);
            moveWhile(exchange, page);
            other = current;
            current = moving;
        }

        step.store(to - 1, other);
    }

    /** Never leaves before {@code exchange} has, for that works in a frame of this lane. */
    private void moveWhile(CompletableFuture<Void> exchange, int page) {
        try {
            step.move(page, current, states);
        } catch (RuntimeException e) {
            exchange.handle((done, failure) -> failure == null || addTo(e, failure))
                    .join();
            throw e;
        }

        exchange.join();
    }

    private static boolean addTo(RuntimeException first, Throwable second) {
        first.addSuppressed(second);
        return false;
    }

    @Override
    public void close() {
        window.giveBack(bytes);
    }
}
