package org.sparkqlora.spark.cluster;

import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;

/**
 * The resources of a task that computes with the model: {@code spark.task.cpus} cores; on executors with GPUs a whole one and its part of
 * the cores, whatever share of a GPU the other stages of the application ask for. That is stage-level scheduling, which takes
 * executors as they are: where Spark allocates them itself, it would ask for others, so that the settings alone count there.
 *
 * @param threads that a task computes with
 * @param wholeGpu whether it holds a GPU of its own, by a profile of its stage
 */
public record ModelTasks(int threads, boolean wholeGpu) {
    public static final String GPUS_OF_EXECUTOR = "spark.executor.resource.gpu.amount";

    public static final String GPUS_OF_TASK = "spark.task.resource.gpu.amount";

    private static final String GPU = "gpu";
    private static final String CORES_OF_EXECUTOR = "spark.executor.cores";
    private static final String CORES_OF_TASK = "spark.task.cpus";

    public static ModelTasks of(SparkConf settings) {
        int gpus = settings.getInt(GPUS_OF_EXECUTOR, 0);
        int cores = settings.getInt(CORES_OF_EXECUTOR, 0);
        boolean placed = gpus > 0 && cores >= gpus && !new ClusterSettings(settings).isLocal() && !allocates(settings);
        return placed ? new ModelTasks(cores / gpus, true) : new ModelTasks(settings.getInt(CORES_OF_TASK, 1), false);
    }

    /** Most passes of a task at once: one on a GPU of its own, otherwise one a thread. */
    int passes() {
        return wholeGpu ? 1 : threads;
    }

    /** The tasks of {@code partitions}, so placed. */
    public <T> JavaRDD<T> place(JavaRDD<T> partitions) {
        return wholeGpu ? partitions.withResources(profile()) : partitions;
    }

    private ResourceProfile profile() {
        TaskResourceRequests requests = new TaskResourceRequests().cpus(threads).resource(GPU, 1);
        return new ResourceProfileBuilder().require(requests).build();
    }

    private static boolean allocates(SparkConf settings) {
        return settings.getBoolean("spark.dynamicAllocation.enabled", false);
    }
}
