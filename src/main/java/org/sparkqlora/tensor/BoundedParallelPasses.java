package org.sparkqlora.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Passes of which several run at once, and whose results come in the order they were started in. */
public record BoundedParallelPasses(int count) {
    /** Starts a pass. */
    public interface Start<T, R> {
        /** @param stopped whether no one waits for the pass any more */
        CompletableFuture<R> pass(T input, BooleanSupplier stopped);
    }

    /**
     * Starts a pass for each of {@code inputs} and hands what comes of it to {@code sink}, in this thread. A lane whose pass is done waits for
     * the oldest. After a failure, and when this thread is interrupted, none is started, and those that run are told and waited for.
     *
     * @throws java.util.concurrent.CancellationException if this thread is interrupted
     */
    public <T, R> void run(Iterator<T> inputs, Start<T, R> start, Consumer<R> sink) {
        Deque<CompletableFuture<R>> running = new ArrayDeque<>();
        AtomicBoolean stopped = new AtomicBoolean();
        try {
            while (inputs.hasNext()) {
                if (running.size() == count) {
                    endFirst(running, sink);
                }

                running.add(start.pass(inputs.next(), stopped::get));
            }

            while (!running.isEmpty()) {
                endFirst(running, sink);
            }
        } finally {
            stopped.set(true);
            running.forEach(pass -> pass.handle((result, failure) -> true).join());
        }
    }

    private static <R> void endFirst(Deque<CompletableFuture<R>> running, Consumer<R> sink) {
        R result = ComputeThread.await(running.element());
        running.remove();
        sink.accept(result);
    }
}
