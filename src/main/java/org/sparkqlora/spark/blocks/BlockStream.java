package org.sparkqlora.spark.blocks;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.blocks.ExecutorBlocks.Handle;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;

/** Blocks in an order that is given, the next ones on their way while one is read. Used by one thread. */
public final class BlockStream implements AutoCloseable {
    /** Enough to keep a link busy, few beside the tasks that compute. */
    private static final int AHEAD = 3;

    private final ExecutorBlocks blocks;
    private final Iterator<Handle> handles;
    private final Queue<Coming> coming = new ArrayDeque<>();
    private @Nullable ExecutorService threads;

    public BlockStream(ExecutorBlocks blocks, List<Handle> handles) {
        this.blocks = blocks;
        this.handles = handles.iterator();
    }

    /**
     * Lets {@code reader} read the next block, which it may not keep.
     *
     * @throws LostBlockException if no one has it any more
     * @throws InterruptedException if this thread is interrupted while it waits
     */
    public void next(Consumer<ByteBuffer> reader) throws InterruptedException {
        while (handles.hasNext() && coming.size() < AHEAD) {
            Handle handle = handles.next();
            coming.add(new Coming(handle, blocks.has(handle.name()) ? null : fetch(handle)));
        }

        Coming next = coming.remove();
        if (next.bytes() == null) {
            blocks.read(next.handle(), reader);
            return;
        }

        try (BlockMemory bytes = get(next.bytes())) {
            reader.accept(bytes.bytes());
        }
    }

    private Future<BlockMemory> fetch(Handle handle) {
        if (threads == null) {
            threads = Executors.newFixedThreadPool(AHEAD, Workers.daemons("block-fetch"));
        }

        return threads.submit(() -> blocks.fetchElsewhere(handle));
    }

    private static BlockMemory get(Future<BlockMemory> bytes) throws InterruptedException {
        try {
            return bytes.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof LostBlockException lost ? lost : new IllegalStateException(e.getCause());
        }
    }

    /** A fetch that was interrupted has freed its memory itself, as has one that failed; one that never began took none. */
    private static void free(Future<BlockMemory> bytes) {
        try {
            bytes.get().close();
        } catch (ExecutionException | CancellationException e) {
            // it failed or never began, and nobody reads it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (threads != null) {
            threads.shutdownNow().forEach(waiting -> ((Future<?>) waiting).cancel(false)); // else nobody would end them
        }

        coming.stream().map(Coming::bytes).filter(Objects::nonNull).forEach(BlockStream::free);
    }

    /**
     * A block that will be read.
     *
     * @param handle of it
     * @param bytes that are on their way; null where this process has them
     */
    private record Coming(Handle handle, @Nullable Future<BlockMemory> bytes) {}
}
