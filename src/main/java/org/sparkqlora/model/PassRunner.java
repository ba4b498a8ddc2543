package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.tensor.BoundedParallelPasses;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.cuda.TorchFailure;

/**
 * Runs passes on the threads of a pool, one alone or several at once.
 *
 * @param resident part of the base: where that is not all of it, passes go through the layers side by side
 * @param dequantized layers that are dequantised once; null where they are for each use
 */
record PassRunner(
        PassPool pool, ResidentBase resident, @Nullable DequantizedLayers dequantized) implements AutoCloseable {
    /** Passes of other adapters on the same base, which lie otherwise beside its layers. */
    PassRunner ofOtherAdapters() {
        return new PassRunner(pool, resident, null);
    }

    /**
     * The settings that a pass begins with.
     *
     * @param threads of it
     * @param layers opened together with other passes; null for a pass that opens its own
     * @param stopped whether no one waits for it any more
     */
    record Entry(ComputeThreads threads, @Nullable SharedLayers layers, BooleanSupplier stopped) {
        private <R> R run(Workspace own, Function<Workspace, R> pass) {
            return layers == null ? pass.apply(own) : layers.run(own, stopped, pass);
        }
    }

    /** Starts {@code pass} on a thread of its own. */
    <R> CompletableFuture<R> start(Entry entry, Function<Workspace, R> pass) {
        return pool.start(
                entry.threads(), own -> dequantized == null ? entry.run(own, pass) : dequantized.run(own, pass));
    }

    /** Runs one pass with all threads. */
    <R> R one(Function<Entry, CompletableFuture<R>> pass) {
        List<R> results = new ArrayList<>(1);
        run(
                new BoundedParallelPasses(1),
                Stream.of(pass).iterator(),
                (only, stopped) -> only.apply(new Entry(pool.whole(), null, stopped)),
                results::add);
        return results.get(0);
    }

    /** Runs a pass for each of {@code inputs} in the lanes, and hands the results to {@code sink} in their order. */
    <T, R> void all(
            BoundedParallelPasses lanes,
            Iterator<T> inputs,
            BiFunction<T, Entry, CompletableFuture<R>> start,
            Consumer<R> sink) {
        if (lanes.count() > 1 && resident.pages()) {
            sideBySide(lanes, inputs, start, sink);
            return;
        }

        ComputeThreads threads = pool.partOf(lanes);
        run(lanes, inputs, (each, stopped) -> start.apply(each, new Entry(threads, null, stopped)), sink);
    }

    private <T, R> void sideBySide(
            BoundedParallelPasses lanes,
            Iterator<T> inputs,
            BiFunction<T, Entry, CompletableFuture<R>> start,
            Consumer<R> sink) {
        ComputeThreads threads = pool.partOf(lanes);
        try (WeightBuffers buffers = pool.weightBuffers()) {
            while (inputs.hasNext()) {
                List<T> group = next(inputs, lanes.count());
                SharedLayers layers = new SharedLayers(group.size(), buffers, pool.whole());
                run(
                        lanes,
                        group.iterator(),
                        (each, stopped) -> start.apply(each, new Entry(threads, layers, stopped)),
                        sink);
            }
        }
    }

    /** No pass may be running. */
    @Override
    public void close() {
        if (dequantized != null) {
            dequantized.close();
        }

        pool.close();
    }

    private static <T> List<T> next(Iterator<T> inputs, int most) {
        List<T> group = new ArrayList<>(most);
        while (group.size() < most && inputs.hasNext()) {
            group.add(inputs.next());
        }

        return group;
    }

    private <T, R> void run(
            BoundedParallelPasses lanes,
            Iterator<T> inputs,
            BoundedParallelPasses.Start<T, R> start,
            Consumer<R> sink) {
        try {
            lanes.run(inputs, start, sink);
        } catch (RuntimeException e) {
            throw pool.whole().hardware().isHostAccessible() ? e : TorchFailure.named(e);
        }
    }
}
