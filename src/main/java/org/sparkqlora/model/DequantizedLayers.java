package org.sparkqlora.model;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.shared.WeightBuffers;

/**
 * The dequantised layers of a frozen base, each written at its first use and kept for all passes of a process. What trains is written beside
 * it once a version; a pass at another version than those that have the layer in hand writes it for itself. Safe for concurrent use.
 */
final class DequantizedLayers implements AutoCloseable {
    private final Supplier<WeightBuffers> room;
    private final Map<Integer, Kept> layers = new ConcurrentHashMap<>();

    /** @param room makes buffers for one layer */
    DequantizedLayers(Supplier<WeightBuffers> room) {
        this.room = room;
    }

    /** Runs a pass. */
    <R> R run(Workspace own, Function<Workspace, R> pass) {
        Member member = new Member();
        try {
            return pass.apply(own.taking(member));
        } finally {
            member.release();
        }
    }

    /** One of the passes, which has one layer at a time in hand. */
    private final class Member implements Workspace.Turns {
        private @Nullable Kept inHand;

        @Override
        public LayerPass open(Workspace.LayerWeights weights, Workspace own, Function<Workspace, LayerPass> opening) {
            release();
            Kept kept = layers.computeIfAbsent(weights.layer(), layer -> new Kept(room.get()));
            synchronized (kept) {
                if (kept.suits(weights)) {
                    LayerPass opened = kept.open(weights, own, opening);
                    inHand = kept;
                    return opened;
                }
            }

            return opening.apply(own);
        }

        private void release() {
            if (inHand != null) {
                inHand.release();
                inHand = null;
            }
        }
    }

    /** One layer, locked by whoever opens it. */
    private static final class Kept {
        private final WeightBuffers buffers;
        private Workspace.@Nullable LayerWeights written;
        private int users;

        private Kept(WeightBuffers buffers) {
            this.buffers = buffers;
        }

        /** Not while passes have it in hand with other weights beside the base. */
        private boolean suits(Workspace.LayerWeights weights) {
            return users == 0 || weights.equals(written);
        }

        private LayerPass open(Workspace.LayerWeights weights, Workspace own, Function<Workspace, LayerPass> opening) {
            Workspace.Writer writer = writer(weights, own);
            written = null; // unless all is written
            LayerPass opened = opening.apply(own.with(buffers, writer));
            written = weights;
            users++;
            return opened;
        }

        private Workspace.Writer writer(Workspace.LayerWeights weights, Workspace own) {
            if (written == null || written.drops() != weights.drops()) {
                return own.writer();
            }

            return weights.equals(written) ? new Workspace.Written() : new Workspace.TrainedOnly();
        }

        private synchronized void release() {
            users--;
        }
    }

    /** No pass may be running. */
    @Override
    public void close() {
        layers.values().forEach(kept -> kept.buffers.close());
        layers.clear();
    }
}
