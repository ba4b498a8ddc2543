package org.sparkqlora.tensor;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * A thread that libtorch is called from, so that what one call frees the next one finds.
 *
 * <p>glibc keeps what a thread frees in a heap of that thread, and OpenMP a team of workers for each thread that calls it. Threads
 * that come and go, as Spark's task threads do, would each leave a heap as large as a whole pass behind.
 */
public final class ComputeThread implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor(ComputeThread::daemon);

    /** Runs {@code work} there and waits for it, whether or not this thread is interrupted; throws what {@code work} throws. */
    public <R> R call(Supplier<R> work) {
        try {
            return CompletableFuture.supplyAsync(work, thread).join();
        } catch (CompletionException e) {
            throw unwrapped(e);
        }
    }

    /** As {@link #call}, for work without a result. */
    public void run(Runnable work) {
        call(() -> {
            work.run();
            return Boolean.TRUE;
        });
    }

    @Override
    public void close() {
        thread.shutdown();
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "tensor-compute");
        thread.setDaemon(true);
        return thread;
    }

    private static RuntimeException unwrapped(CompletionException failure) {
        if (failure.getCause() instanceof Error error) {
            throw error;
        }

        return failure.getCause() instanceof RuntimeException cause ? cause : failure;
    }
}
