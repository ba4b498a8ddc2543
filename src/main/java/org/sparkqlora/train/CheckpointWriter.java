package org.sparkqlora.train;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * Writes checkpoints beside the next steps, one at a time; a State that does not last is whole before the next change of it. All methods
 * are called by the thread that trains. It writes none itself: who cancels may interrupt it, and file systems give up a write whose thread
 * is.
 */
final class CheckpointWriter implements AutoCloseable {
    private final StateStore store;
    private final ProgressReporter reporter;
    private @Nullable Pending pending;
    private long kept;

    private record Pending(SavedState state, Optional<StepMetrics> unevaluated, CompletableFuture<Long> version) {}

    /** @param kept version of the newest checkpoint */
    CheckpointWriter(StateStore store, ProgressReporter reporter, long kept) {
        this.store = store;
        this.reporter = reporter;
        this.kept = kept;
    }

    /** Version of the newest checkpoint that is whole. */
    long kept() {
        return kept;
    }

    /**
     * Begins to write the State that {@code chosen} gives.
     *
     * @param unevaluated as of {@link StateStore#save}
     */
    void save(
            Supplier<? extends SavedState> current,
            Supplier<? extends SavedState> chosen,
            Optional<StepMetrics> unevaluated) {
        finish(current);
        SavedState state = chosen.get();
        pending = new Pending(
                state,
                unevaluated,
                CompletableFuture.supplyAsync(() -> write(state, unevaluated), CheckpointWriter::start));
    }

    /** Is told before the State changes. */
    void beforeChange(Supplier<? extends SavedState> current) {
        if (pending != null && !pending.state().isLasting()) {
            finish(current);
        }
    }

    /** Takes note of a checkpoint that is done by now; one whose State was lost while it was written is replaced by the State of now. */
    void poll(Supplier<? extends SavedState> current) {
        if (pending != null && pending.version().isDone()) {
            finish(current);
        }
    }

    /** Waits for the checkpoint that is being written. */
    void finish(Supplier<? extends SavedState> current) {
        Pending last = pending;
        if (last == null) {
            return;
        }

        last.state().settle();
        pending = null;
        try {
            written(last.version().join());
        } catch (CompletionException e) {
            if (e.getCause() instanceof UnreachableStateException) {
                written(write(current.get(), last.unevaluated()));
            } else if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            } else {
                throw e;
            }
        }
    }

    private long write(SavedState state, Optional<StepMetrics> unevaluated) {
        try {
            store.save(state, unevaluated.filter(step -> step.step() == state.version()));
            return state.version();
        } finally {
            state.release();
        }
    }

    private void written(long version) {
        kept = version;
        reporter.checkpointed(version);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "checkpoint");
        thread.setDaemon(true);
        thread.start();
    }

    /** Waits for the checkpoint that is being written, whatever becomes of it: training has ended otherwise. */
    @Override
    public void close() {
        if (pending != null) {
            pending.state().abandon();
            pending.version().exceptionally(failed -> kept).join();
        }
    }
}
