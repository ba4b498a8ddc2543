package org.sparkqlora.spark.cluster;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.regex.Pattern;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A Spark job that someone stopped: by its group or its tag, on a page, or all jobs at once; or whose waiting thread was interrupted. That is
 * no failure, and no one wants the job tried again. Spark tells it by its message alone, which begins with the error's class from Spark 4 on.
 */
public final class CancelledJob {
    private static final Pattern MESSAGE =
            Pattern.compile("(\\[SPARK_JOB_CANCELLED] )?Job \\d+ cancelled (?!because SparkContext).*", Pattern.DOTALL);

    private static final String INTERRUPTS = "spark.job.interruptOnCancel";

    private CancelledJob() {}

    /**
     * Lets jobs that this thread starts from now on interrupt their tasks when they are cancelled: a pass that takes minutes hears of nothing
     * else, and whoever closes its model waits for it.
     *
     * @return restores what the thread had set before
     */
    public static Runnable interruptTasks(JavaSparkContext context) {
        String before = context.getLocalProperty(INTERRUPTS);
        context.setLocalProperty(INTERRUPTS, "true");
        return () -> context.setLocalProperty(INTERRUPTS, before);
    }

    /** The cancellation in {@code thrown} or its causes; empty if nobody cancelled anything. */
    public static Optional<CancellationException> find(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (isCancellation(cause)) {
                CancellationException cancelled =
                        new CancellationException("Spark job was cancelled: " + cause.getMessage());
                cancelled.initCause(thrown);
                return Optional.of(cancelled);
            }
        }

        return Optional.empty();
    }

    /** Throws the cancellation that {@link #find} finds in {@code thrown}, if it finds one. */
    public static void rethrow(Throwable thrown) {
        Optional<CancellationException> cancelled = find(thrown);
        if (cancelled.isPresent()) {
            throw cancelled.get();
        }
    }

    private static boolean isCancellation(Throwable cause) {
        return cause instanceof InterruptedException
                || cause instanceof SparkException
                        && MESSAGE.matcher(String.valueOf(cause.getMessage())).matches();
    }
}
