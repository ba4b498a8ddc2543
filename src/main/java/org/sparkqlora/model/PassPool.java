package org.sparkqlora.model;

import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Function;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;

/** The threads that passes over a model share, and the rooms they work in, made at first use and kept. Safe for concurrent use. */
final class PassPool implements AutoCloseable {
    private final ThreadTeam whole;
    private final int mostAtOnce;
    private final ScalarType activations;
    private final Map<Integer, ThreadTeam> parts = new ConcurrentHashMap<>();
    private final Deque<WeightRooms> idle = new ConcurrentLinkedDeque<>();

    /** @param mostAtOnce passes of one call */
    PassPool(ThreadTeam whole, int mostAtOnce, ScalarType activations) {
        this.whole = whole;
        this.mostAtOnce = mostAtOnce;
        this.activations = activations;
    }

    /** All threads. */
    ThreadTeam whole() {
        return whole;
    }

    /** As many as a call for {@code passes} may have at once. A device has work enough of one. */
    Lanes lanes(int passes) {
        int most = hardware().hasRows() ? Math.min(whole.threads(), mostAtOnce) : 1;
        return new Lanes(Math.min(most, Math.max(1, passes)));
    }

    /** The threads of one lane. */
    ThreadTeam partOf(Lanes lanes) {
        return lanes.count() == 1 ? whole : parts.computeIfAbsent(whole.threads() / lanes.count(), whole::resized);
    }

    /** Starts {@code pass} on a thread of its own. */
    <R> CompletableFuture<R> start(ThreadTeam threads, Function<Workspace, R> pass) {
        WeightRooms idled = idle.poll();
        WeightRooms rooms = idled == null ? new WeightRooms(activations, hardware()) : idled;
        return rooms.thread()
                .start(() -> {
                    Natives.useThreads(threads.threads());
                    return pass.apply(new Workspace(rooms, threads));
                })
                .whenComplete((result, failure) -> idle.push(rooms));
    }

    /** No pass may be running. */
    @Override
    public void close() {
        idle.forEach(WeightRooms::close);
        idle.clear();
        parts.values().forEach(ThreadTeam::close);
        whole.close();
    }

    private Hardware hardware() {
        return whole.hardware();
    }
}
