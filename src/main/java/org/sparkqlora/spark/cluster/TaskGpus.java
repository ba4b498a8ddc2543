package org.sparkqlora.spark.cluster;

import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The GPUs that Spark gave to a task. */
public final class TaskGpus {
    private static final String GPU = "gpu";

    private TaskGpus() {}

    /** Their addresses; none outside of tasks. Runs in a task. */
    public static List<String> addresses() {
        TaskContext task = TaskContext.get();
        ResourceInformation held = task == null ? null : task.resourcesJMap().get(GPU);
        return held == null ? List.of() : List.of(held.addresses());
    }
}
