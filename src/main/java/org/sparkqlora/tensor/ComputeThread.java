package org.sparkqlora.tensor;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.bytedeco.pytorch.InferenceMode;
import org.sparkqlora.quant.Workers;

/**
 * A thread that libtorch is called from, so that what one call frees the next one finds.
 *
 * <p>glibc keeps what a thread frees in a heap of that thread, and OpenMP a team of workers for each thread that calls it. Threads
 * that come and go, as Spark's task threads do, would each leave a heap as large as a whole pass behind.
 */
public final class ComputeThread implements AutoCloseable {
    private final ExecutorService thread;

    /** @param autograd whether libtorch may be asked for gradients; to be ready for that costs time and memory in every operation */
    public ComputeThread(boolean autograd) {
        ThreadFactory threads = Workers.daemons("tensor-compute");
        this.thread = Executors.newSingleThreadExecutor(
                work -> threads.newThread(autograd ? work : () -> withoutAutograd(work)));
    }

    /** Runs {@code work} there and waits for it, whether or not this thread is interrupted; throws what {@code work} throws. */
    public <R> R call(Supplier<R> work) {
        try {
            return start(work).join();
        } catch (CompletionException e) {
            throw unwrapped(e);
        }
    }

    /** Lets {@code work} run there after what was given before. */
    public <R> CompletableFuture<R> start(Supplier<R> work) {
        return CompletableFuture.supplyAsync(work, thread);
    }

    /**
     * Waits for started work; throws what that throws.
     *
     * @throws CancellationException if this thread is interrupted, which it stays; the work goes on
     */
    public static <R> R await(CompletableFuture<R> started) {
        try {
            return started.get();
        } catch (ExecutionException e) {
            throw unwrapped(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CancellationException cancelled = new CancellationException("Cannot finish a pass: its task was cancelled");
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    @Override
    public void close() {
        thread.shutdown();
    }

    private static void withoutAutograd(Runnable work) {
        Natives.load();
        try (InferenceMode mode = new InferenceMode(true)) {
            work.run();
        }
    }

    private static RuntimeException unwrapped(Exception wrapped) {
        Throwable failure = wrapped.getCause();
        if (failure instanceof Error error) {
            throw error;
        }

        return failure instanceof RuntimeException cause ? cause : new IllegalStateException(wrapped);
    }
}
