package org.sparkqlora.spark.cluster;

import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** The tasks that a cluster runs at once, and the threads and passes of each. Driver only. */
public final class TaskSlots {
    private static final String EXECUTORS = "spark.executor.instances";
    private static final String EXECUTOR_CORES = "spark.executor.cores";

    /** So that unequal parts even out. */
    private static final int PARTS_A_SLOT = 4;

    private TaskSlots() {}

    /** Threads that a task computes with. */
    public static int threadsOfTask(JavaSparkContext context) {
        return ModelTasks.of(context.getConf()).threads();
    }

    /** Most passes that a task has at once. */
    public static int passesOfTask(JavaSparkContext context) {
        return ModelTasks.of(context.getConf()).passes();
    }

    /** Tasks that so many passes are divided among: all slots have some, and each as many as it can have at once, if there are enough. */
    public static int parts(JavaSparkContext context, int passes) {
        return parts(passes, available(context), passesOfTask(context));
    }

    public static int parts(int passes, int slots, int atOnce) {
        int full = Math.min((passes + atOnce - 1) / atOnce, PARTS_A_SLOT * slots);
        return Math.max(1, Math.max(full, Math.min(passes, slots)));
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
