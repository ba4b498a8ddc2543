package org.sparkqlora.spark.cluster;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.FetchFailed;
import org.apache.spark.TaskFailedReason;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * Tells of failed tasks and lost executors when they happen. Spark gets over them by itself, and when it gives up it names the
 * last failure, which is often a consequence: here the first error of an executor is told, and again with its loss. What
 * Spark does on purpose (a copy of a task that is not needed any more, an idle executor that goes) is no fault.
 */
public final class FaultLog extends SparkListener implements AutoCloseable {
    private static final Pattern EXIT_CODE = Pattern.compile("exited with code (\\d+)");
    private static final Map<Integer, String> MEANING = Map.of(
            52, "its heap was full: raise spark.executor.memory",
            137, "it was killed, most often for memory: raise spark.executor.memoryOverhead",
            134, "native code aborted: see the executor's stderr",
            139, "native code crashed: see the executor's stderr");

    private final JavaSparkContext context;
    private final Consumer<String> tell;
    private final Map<String, String> firstErrors = new ConcurrentHashMap<>();
    private final AtomicInteger failedTasks = new AtomicInteger();
    private final AtomicInteger lostExecutors = new AtomicInteger();

    private FaultLog(JavaSparkContext context, Consumer<String> tell) {
        this.context = context;
        this.tell = tell;
    }

    /** Listens until it is closed. */
    public static FaultLog listen(JavaSparkContext context, Consumer<String> tell) {
        FaultLog log = new FaultLog(context, tell);
        context.sc().addSparkListener(log);
        return log;
    }

    public int failedTasks() {
        return failedTasks.get();
    }

    public int lostExecutors() {
        return lostExecutors.get();
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
        if (!(end.reason() instanceof TaskFailedReason reason) || !reason.countTowardsTaskFailures()) {
            return;
        }

        failedTasks.incrementAndGet();
        if (reason instanceof ExecutorLostFailure) {
            return; // a consequence, which the executor's end tells better
        }

        String executor = end.taskInfo().executorId();
        String error = error(reason);
        if (firstErrors.putIfAbsent(executor, error) == null) {
            tell.accept("a task failed on executor %s (%s), it runs again: %s"
                    .formatted(executor, end.taskInfo().host(), error));
        }
    }

    @Override
    public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
        if (isOnPurpose(removed.reason())) {
            return;
        }

        lostExecutors.incrementAndGet();
        String first = firstErrors.get(removed.executorId());
        tell.accept("lost executor %s, its tasks run again: %s%s"
                .formatted(
                        removed.executorId(),
                        meaning(removed.reason()),
                        first == null ? "" : "; its first error was " + first));
    }

    @Override
    public void close() {
        context.sc().removeSparkListener(this);
    }

    private static String error(TaskFailedReason reason) {
        if (reason instanceof ExceptionFailure failure) {
            String type = failure.className().substring(failure.className().lastIndexOf('.') + 1);
            return type + ": " + firstLine(failure.description());
        }

        return reason instanceof FetchFailed fetch
                ? "FetchFailed: " + firstLine(fetch.message())
                : firstLine(reason.toErrorString());
    }

    private static String meaning(String reason) {
        String line = firstLine(reason);
        Matcher code = EXIT_CODE.matcher(line);
        String meaning = code.find() ? MEANING.get(Integer.parseInt(code.group(1))) : null;
        return meaning == null ? line : line + " (" + meaning + ")";
    }

    /** Spark's own words for an executor that dynamic allocation let go, or that moved its blocks away first. */
    private static boolean isOnPurpose(String reason) {
        return reason.contains("killed by driver") || reason.contains("decommission");
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("no reason given");
    }
}
