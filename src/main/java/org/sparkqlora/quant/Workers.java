package org.sparkqlora.quant;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;

/**
 * A fixed number of threads that share loops. The caller takes part, so one thread means no hand-over at all. Ranges are
 * cut by their number alone and never stolen. Safe for concurrent callers.
 */
public final class Workers implements AutoCloseable {
    private final int threads;
    private final ExecutorService pool;

    public Workers(int threads) {
        if (threads < 1) {
            throw new BadInputException("Cannot work with %d threads: at least 1 is needed".formatted(threads));
        }

        this.threads = threads;
        pool = Executors.newFixedThreadPool(
                Math.max(1, threads - 1), daemons("quant-worker")); // starts threads when needed
    }

    /** Makes threads called {@code name} that do not keep the process alive. */
    public static ThreadFactory daemons(String name) {
        return work -> {
            Thread thread = new Thread(work, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    public int threads() {
        return threads;
    }

    /**
     * Runs {@code task} on disjoint ranges that cover 0 to {@code total}, and returns when all have ended.
     *
     * @param grain every range but the last is a multiple of it
     */
    public void forRanges(long total, long grain, RangeTask task) {
        List<Runnable> parts = parts(total, grain, task);
        if (parts.isEmpty()) {
            return;
        }

        List<CompletableFuture<Void>> others = parts.stream()
                .skip(1)
                .map(part -> CompletableFuture.runAsync(part, pool))
                .toList();
        CompletableFuture<Void> own = CompletableFuture.runAsync(parts.get(0), Runnable::run);
        Stream.concat(Stream.of(own), others.stream())
                .map(Workers::failureOf)
                .flatMap(Optional::stream)
                .reduce(Workers::withSuppressed)
                .ifPresent(Workers::rethrow);
    }

    private List<Runnable> parts(long total, long grain, RangeTask task) {
        long grains = (total + grain - 1) / grain;
        int count = (int) Math.min(threads, grains);
        List<Runnable> parts = new ArrayList<>();
        for (int part = 0; part < count; part++) {
            long from = part * grains / count * grain;
            long to = Math.min(total, (part + 1) * grains / count * grain);
            parts.add(() -> task.run(from, to));
        }

        return parts;
    }

    /** Waits for the end of {@code part}. */
    private static Optional<Throwable> failureOf(CompletableFuture<Void> part) {
        return Optional.ofNullable(part.handle((done, failure) -> failure).join())
                .map(failure -> failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure);
    }

    private static Throwable withSuppressed(Throwable first, Throwable second) {
        first.addSuppressed(second);
        return first;
    }

    /** A range task throws nothing checked. */
    private static void rethrow(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }

        throw (RuntimeException) failure;
    }

    @Override
    public void close() {
        pool.shutdown();
    }

    /** Work on the indices {@code from} (inclusive) to {@code to} (exclusive), independent of every other range. */
    @FunctionalInterface
    public interface RangeTask {
        void run(long from, long to);
    }
}
