package org.sparkqlora.spark;

import org.apache.spark.api.java.JavaSparkContext;

/** How many tasks a cluster runs at once, and what each may use. Driver only. */
public final class TaskSlots {
    private static final String TASK_CPUS = "spark.task.cpus";

    private TaskSlots() {}

    /** Threads that a task computes with. */
    public static int threadsOfTask(JavaSparkContext context) {
        return context.getConf().getInt(TASK_CPUS, 1);
    }

    /** Tasks that run at once on the executors that are there now; at least one. */
    public static int available(JavaSparkContext context) {
        return Math.max(1, context.defaultParallelism() / threadsOfTask(context));
    }
}
