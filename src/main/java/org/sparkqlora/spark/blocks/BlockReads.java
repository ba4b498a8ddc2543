package org.sparkqlora.spark.blocks;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.blocks.ExecutorBlocks.Handle;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;

/**
 * The blocks of something that lies in parts, read several at a time.
 *
 * @param blocks among which they are
 * @param handles of the parts, in their order
 */
public record BlockReads(ExecutorBlocks blocks, List<Handle> handles) {
    /** At once: enough to keep a link busy, few beside the tasks that compute. */
    private static final int MOST = 4;

    public BlockReads {
        handles = List.copyOf(handles);
    }

    /**
     * Lets {@code reader}, which several threads call and which may not keep them, read the bytes of each part.
     *
     * @throws LostBlockException if a part is lost or this thread is interrupted; others may have been read by then, and none is any more
     */
    public void each(ObjIntConsumer<ByteBuffer> reader) {
        ExecutorService threads =
                Executors.newFixedThreadPool(Math.min(handles.size(), MOST), Workers.daemons("block-read"));
        try {
            for (Future<Void> read : threads.invokeAll(reads(reader))) {
                read.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof LostBlockException lost ? lost : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LostBlockException("interrupted while reading blocks");
        } finally {
            end(threads);
        }
    }

    /** What a reader fills is the caller's again, such as a vector that goes back to its pool: one that was interrupted may still be at it. */
    private static void end(ExecutorService threads) {
        threads.shutdownNow();
        boolean interrupted = Thread.interrupted();
        while (!threads.isTerminated()) {
            try {
                threads.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }

        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private List<Callable<Void>> reads(ObjIntConsumer<ByteBuffer> reader) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, handles.size()).boxed().toList());
        Collections.rotate(order, ExecutorPlace.here().hashCode()); // not all ask the same executor first
        order.sort(Comparator.comparing(handles::get, ExecutorBlocks.readingOrder()));
        return order.stream()
                .<Callable<Void>>map(part -> () -> {
                    blocks.read(handles.get(part), bytes -> reader.accept(bytes, part));
                    return null;
                })
                .toList();
    }
}
