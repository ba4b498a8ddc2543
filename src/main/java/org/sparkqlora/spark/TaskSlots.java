package org.sparkqlora.spark;

import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** How many tasks a cluster runs at once, and what each may use. Driver only. */
public final class TaskSlots {
    private static final String EXECUTORS = "spark.executor.instances";
    private static final String EXECUTOR_CORES = "spark.executor.cores";

    private TaskSlots() {}

    /** Threads that a task computes with. */
    public static int threadsOfTask(JavaSparkContext context) {
        return ModelTasks.of(context.getConf()).threads();
    }

    /** Most passes that a task has at once. */
    public static int passesOfTask(JavaSparkContext context) {
        return ModelTasks.of(context.getConf()).passes();
    }

    /** Tasks that run at once on the executors that are there or were asked for; at least one. */
    public static int available(JavaSparkContext context) {
        SparkConf settings = context.getConf();
        int askedFor = settings.getInt(EXECUTORS, 0) * settings.getInt(EXECUTOR_CORES, 1);
        return Math.max(1, Math.max(context.defaultParallelism(), askedFor) / threadsOfTask(context));
    }

    /** Tasks that run at once on one executor, as it was asked for or as those that are there have cores; at least one. */
    public static int ofExecutor(JavaSparkContext context) {
        int asked = context.isLocal() ? 0 : context.getConf().getInt(EXECUTOR_CORES, 0);
        int executors = Math.max(1, context.sc().statusTracker().getExecutorInfos().length - 1); // less the driver
        int cores = asked > 0 ? asked : context.defaultParallelism() / executors;
        return Math.max(1, cores / threadsOfTask(context));
    }
}
