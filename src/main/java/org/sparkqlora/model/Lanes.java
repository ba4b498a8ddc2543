package org.sparkqlora.model;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.sparkqlora.tensor.ComputeThread;

/** Passes of which several run at once, and whose results come in the order they were started in. */
record Lanes(int count) {
    /**
     * Starts a pass for each of {@code inputs} and hands what comes of it to {@code sink}, in this thread. A lane whose pass is done waits for
     * the oldest. After a failure none is started and no pass goes on.
     */
    <T, R> void run(Iterator<T> inputs, Function<T, CompletableFuture<R>> start, Consumer<R> sink) {
        Deque<CompletableFuture<R>> running = new ArrayDeque<>();
        try {
            while (inputs.hasNext()) {
                if (running.size() == count) {
                    sink.accept(ComputeThread.await(running.remove()));
                }

                running.add(start.apply(inputs.next()));
            }

            while (!running.isEmpty()) {
                sink.accept(ComputeThread.await(running.remove()));
            }
        } finally {
            running.forEach(pass -> pass.handle((result, failure) -> true).join());
        }
    }
}
