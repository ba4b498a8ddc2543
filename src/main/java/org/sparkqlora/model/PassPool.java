package org.sparkqlora.model;

import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Function;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.tensor.BoundedParallelPasses;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;

/** The threads that passes over a model share, and the rooms they work in, made at first use and kept. Safe for concurrent use. */
final class PassPool implements AutoCloseable {
    private final ComputeThreads whole;
    private final int mostAtOnce;
    private final ScalarType activations;
    private final Map<Integer, ComputeThreads> parts = new ConcurrentHashMap<>();
    private final Deque<WeightBuffers> idle = new ConcurrentLinkedDeque<>();

    /** @param mostAtOnce passes of one call */
    PassPool(ComputeThreads whole, int mostAtOnce, ScalarType activations) {
        this.whole = whole;
        this.mostAtOnce = mostAtOnce;
        this.activations = activations;
    }

    /** All threads. */
    ComputeThreads whole() {
        return whole;
    }

    /** As many as a call for {@code passes} may have at once. A device has work enough of one. */
    BoundedParallelPasses lanes(int passes) {
        int most = hardware().isHostAccessible() ? Math.min(whole.threads(), mostAtOnce) : 1;
        return new BoundedParallelPasses(Math.min(most, Math.max(1, passes)));
    }

    /** The threads of one lane. */
    ComputeThreads partOf(BoundedParallelPasses lanes) {
        return lanes.count() == 1 ? whole : parts.computeIfAbsent(whole.threads() / lanes.count(), whole::resized);
    }

    /** Starts {@code pass} on a thread of its own. */
    <R> CompletableFuture<R> start(ComputeThreads threads, Function<Workspace, R> pass) {
        WeightBuffers buffers = take();
        return buffers.thread()
                .start(() -> {
                    Natives.useThreads(threads.threads());
                    return pass.apply(new Workspace(buffers, threads));
                })
                .whenComplete((result, failure) -> giveBack(buffers));
    }

    /** Buffers for one caller, to be given back. */
    WeightBuffers take() {
        WeightBuffers idled = idle.poll();
        return idled == null ? new WeightBuffers(activations, hardware()) : idled;
    }

    void giveBack(WeightBuffers buffers) {
        idle.push(buffers);
    }

    /** No pass may be running. */
    @Override
    public void close() {
        idle.forEach(WeightBuffers::close);
        idle.clear();
        parts.values().forEach(ComputeThreads::close);
        whole.close();
    }

    private Hardware hardware() {
        return whole.hardware();
    }
}
