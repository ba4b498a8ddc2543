package org.sparkqlora.model;

import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.tensor.ComputeThreads;

/**
 * Passes that go through the layers side by side: the weights of each layer are read and brought to full width once, in one buffer, by
 * the pass that comes last to it and with the threads of all.
 */
final class SharedLayers {
    private static final long POLL_MILLIS = 100;

    private final WeightBuffers buffers;
    private final Workspace.Writer writer;
    private int passes;
    private int arrived;
    private Workspace.@Nullable LayerWeights next;
    private long turn;
    private boolean writing;
    private @Nullable Throwable failure;

    /**
     * @param passes that must all come to a layer before it is opened, unless they have ended
     * @param buffers of the layer's weights
     * @param threads of all passes
     */
    SharedLayers(int passes, WeightBuffers buffers, ComputeThreads threads) {
        this.passes = passes;
        this.buffers = buffers;
        this.writer = new Workspace.Writing(threads.dequantizer());
    }

    /**
     * Runs one of the passes.
     *
     * @param stopped whether no one waits for it any more
     */
    <R> R run(Workspace own, BooleanSupplier stopped, Function<Workspace, R> pass) {
        Member member = new Member(stopped);
        try {
            R result = pass.apply(own.taking(member));
            member.leave();
            return result;
        } catch (RuntimeException | Error e) {
            abandon(e);
            throw e;
        }
    }

    private enum Turn {
        WRITE,
        FIND_WRITTEN,
        /** This pass needs other weights than those that came before it, and goes on by itself. */
        GO_APART
    }

    /** One of the passes. */
    private final class Member implements Workspace.Turns {
        private final BooleanSupplier stopped;
        private boolean apart;

        private Member(BooleanSupplier stopped) {
            this.stopped = stopped;
        }

        @Override
        public LayerPass open(Workspace.LayerWeights weights, Workspace own, Function<Workspace, LayerPass> opening) {
            return switch (apart ? Turn.GO_APART : turnOf(weights, stopped)) {
                case WRITE -> {
                    LayerPass opened = opening.apply(own.with(buffers, writer));
                    endTurn();
                    yield opened;
                }
                case FIND_WRITTEN -> opening.apply(own.with(buffers, new Workspace.Written()));
                case GO_APART -> {
                    leave();
                    yield opening.apply(own);
                }
            };
        }

        private void leave() {
            if (!apart) {
                apart = true;
                end();
            }
        }
    }

    /** Waits until all are there; one of them writes, the others go on once it has. */
    private synchronized Turn turnOf(Workspace.LayerWeights weights, BooleanSupplier stopped) {
        if (arrived > 0 && !weights.equals(next)) {
            return Turn.GO_APART;
        }

        next = weights;
        arrived++;
        long mine = turn;
        while (turn == mine) {
            endIf(stopped);
            if (arrived == passes && !writing) {
                writing = true;
                return Turn.WRITE;
            }

            waitABit();
        }

        return Turn.FIND_WRITTEN;
    }

    private void endIf(BooleanSupplier stopped) {
        if (failure instanceof Error error) {
            throw error;
        }

        if (failure instanceof RuntimeException exception) {
            throw exception;
        }

        if (stopped.getAsBoolean()) {
            throw new CancellationException("Cannot finish a micro-batch: its task was cancelled");
        }
    }

    private void waitABit() {
        try {
            wait(POLL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CancellationException cancelled = new CancellationException("Cannot wait for other passes: interrupted");
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    private synchronized void endTurn() {
        arrived = 0;
        writing = false;
        turn++;
        notifyAll();
    }

    private synchronized void end() {
        passes--;
        notifyAll();
    }

    /** The others end with the same failure: none may wait for a pass that will not come. */
    private synchronized void abandon(Throwable reason) {
        if (failure == null) {
            failure = reason;
        }

        notifyAll();
    }
}
