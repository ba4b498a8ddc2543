package org.sparkqlora.spark.blocks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.shuffle.BlockFetchingListener;

/** A block on its way from another process. Spark's own way to wait for one copies it to an array in Java's heap. */
final class BlockFetch implements BlockFetchingListener {
    private static final int PIECE = 1 << 16;

    private final CompletableFuture<ManagedBuffer> arrived = new CompletableFuture<>();

    private BlockFetch() {}

    /** Asks {@code place} for the block of that name. */
    static BlockFetch from(ExecutorPlace place, String name) {
        BlockFetch fetch = new BlockFetch();
        SparkEnv.get()
                .blockManager()
                .blockTransferService()
                .fetchBlocks(place.host(), place.port(), place.executor(), new String[] {name}, fetch, null);
        return fetch;
    }

    @Override
    public void onBlockFetchSuccess(String name, ManagedBuffer data) {
        data.retain();
        if (!arrived.complete(data)) {
            data.release();
        }
    }

    @Override
    public void onBlockFetchFailure(String name, Throwable failure) {
        arrived.completeExceptionally(failure);
    }

    /** Waits, and copies the block to the start of {@code target}. */
    void into(ByteBuffer target) throws IOException, InterruptedException {
        ManagedBuffer data = take();
        try (InputStream in = data.createInputStream()) {
            if (data.size() != target.remaining()) {
                throw new IOException("expected %d bytes, found %d".formatted(target.remaining(), data.size()));
            }

            byte[] piece = new byte[PIECE];
            while (target.hasRemaining()) {
                int count = in.readNBytes(piece, 0, Math.min(PIECE, target.remaining()));
                target.put(piece, 0, count);
            }
        } finally {
            data.release();
        }
    }

    private ManagedBuffer take() throws IOException, InterruptedException {
        try {
            return arrived.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            if (!arrived.cancel(false) && !arrived.isCompletedExceptionally()) {
                arrived.join().release();
            }

            throw e;
        }
    }
}
