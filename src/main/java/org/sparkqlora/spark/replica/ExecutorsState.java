package org.sparkqlora.spark.replica;

import java.io.DataOutput;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.UnreachableStateException;

/**
 * A State of executors on its way to a checkpoint: they leave it as blocks, then write it as files. Where they cannot do the latter, the
 * blocks are what the driver writes. Driver only.
 */
final class ExecutorsState implements SavedState {
    private final Owner owner;
    private final long version;
    private final CompletableFuture<StateBlocks> blocks = new CompletableFuture<>();
    private final CompletableFuture<Optional<StateParts>> files = new CompletableFuture<>();

    /** One that comes later. */
    ExecutorsState(Owner owner, long version) {
        this.owner = owner;
        this.version = version;
    }

    /** The owner of the blocks in which States lie. */
    interface Owner {
        /** Takes what is still to come now, when no step comes before it is needed. */
        void settle();

        /** Lets {@code blocks} stay until {@link #release}. */
        void keep(StateBlocks blocks);

        /** A State of which a piece is lost is not given to anyone else. */
        void forget(StateBlocks blocks);

        void release(StateBlocks blocks);
    }

    void left(StateBlocks left) {
        owner.keep(left);
        blocks.complete(left);
    }

    void written(StateParts parts) {
        files.complete(Optional.of(parts));
    }

    /** Only the blocks are, or will be, there. */
    void unwritten() {
        files.complete(Optional.empty());
    }

    void lost(UnreachableStateException reason) {
        blocks.completeExceptionally(reason);
        unwritten();
    }

    @Override
    public long version() {
        return version;
    }

    @Override
    public boolean isLasting() {
        return true;
    }

    @Override
    public void settle() {
        if (!blocks.isDone() || !files.isDone()) {
            owner.settle();
        }
    }

    @Override
    public void abandon() {
        lost(new UnreachableStateException(
                "training ended before the State of version %d was left".formatted(version)));
    }

    @Override
    public Optional<StateParts> parts() {
        return files.join();
    }

    @Override
    public void write(DataOutput out) throws IOException {
        StateBlocks left = waitFor();
        try {
            left.write(out);
        } catch (UnreachableStateException e) {
            owner.forget(left);
            throw e;
        }
    }

    private StateBlocks waitFor() {
        try {
            return blocks.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof UnreachableStateException lost ? lost : e;
        }
    }

    @Override
    public void release() {
        if (blocks.isDone() && !blocks.isCompletedExceptionally()) {
            owner.release(blocks.join());
        }
    }
}
