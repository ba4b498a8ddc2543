package org.sparkqlora.spark.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * The first executor of an application, waited for with a limit: Spark itself waits for ever, as in a queue that is full. An empty
 * task asks for it, since a cluster that allocates executors by need allocates none before. Driver only.
 *
 * @param tell takes a line for people
 */
public record FirstExecutor(JavaSparkContext context, Consumer<String> tell) {
    private static final Duration BEFORE_TELLING = Duration.ofSeconds(10);

    /** Waits for it; {@code limit} of zero is none. */
    public void await(Duration limit) {
        if (context.isLocal()) {
            return;
        }

        context.setJobDescription("check: wait for an executor");
        JavaFutureAction<Long> task = context.parallelize(List.of(0), 1).countAsync();
        try {
            await(task, limit);
        } catch (ExecutionException e) {
            throw new IllegalStateException("Failed to run a task on an executor", e.getCause());
        } catch (InterruptedException e) {
            task.cancel(true);
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Failed to wait for an executor: interrupted", e);
        } finally {
            context.setJobDescription(null);
        }
    }

    private void await(JavaFutureAction<Long> task, Duration limit) throws ExecutionException, InterruptedException {
        boolean isLimited = !limit.isZero();
        Duration silent = isLimited && limit.compareTo(BEFORE_TELLING) < 0 ? limit : BEFORE_TELLING;
        if (isDoneWithin(silent, task)) {
            return;
        }

        tell.accept("waiting for the first executor of %s%s"
                .formatted(
                        context.master(),
                        isLimited ? String.format(Locale.ROOT, ", at most %d s", limit.toSeconds()) : ""));
        if (!isLimited) {
            task.get();
        } else if (!isDoneWithin(limit.minus(silent), task)) {
            task.cancel(true);
            throw new NoExecutorException(
                    "Failed to start: expected an executor of %s within %d s, found none. Is its queue full, or does an executor ask for more than a node has? --executor-timeout sets how long to wait."
                            .formatted(context.master(), limit.toSeconds()));
        }
    }

    private static boolean isDoneWithin(Duration time, JavaFutureAction<Long> task)
            throws ExecutionException, InterruptedException {
        try {
            task.get(time.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    /** A cluster that gave no executor in time; it may give one later. */
    static final class NoExecutorException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoExecutorException(String message) {
            super(message);
        }
    }
}
