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
import org.sparkqlora.tensor.ComputeThread;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;

/** The threads that passes over a model share, and the rooms they work in, made at first use and kept. Safe for concurrent use. */
final class PassPool implements AutoCloseable {
    private final ComputeThreads whole;
    private final int mostAtOnce;
    private final ScalarType activations;
    private final Map<Integer, ComputeThreads> parts = new ConcurrentHashMap<>();
    private final Deque<Room> idle = new ConcurrentLinkedDeque<>();

    /** @param mostAtOnce passes of one call */
    PassPool(ComputeThreads whole, int mostAtOnce, ScalarType activations) {
        this.whole = whole;
        this.mostAtOnce = mostAtOnce;
        this.activations = activations;
    }

    /** What one pass works in. */
    private record Room(ComputeThread thread, WeightBuffers buffers) {
        private void close() {
            buffers.close();
            thread.close();
        }
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
        Room room = take();
        return room.thread()
                .start(() -> {
                    Natives.useThreads(threads.threads());
                    return pass.apply(new Workspace(room.buffers(), threads));
                })
                .whenComplete((result, failure) -> idle.push(room));
    }

    private Room take() {
        Room idled = idle.poll();
        return idled == null ? new Room(hardware().computeThread(), weightBuffers()) : idled;
    }

    /** Room for the weights of one layer, to be closed by the caller. */
    WeightBuffers weightBuffers() {
        return new WeightBuffers(activations, hardware());
    }

    /** No pass may be running. */
    @Override
    public void close() {
        idle.forEach(Room::close);
        idle.clear();
        parts.values().forEach(ComputeThreads::close);
        whole.close();
    }

    private Hardware hardware() {
        return whole.hardware();
    }
}
