package org.sparkqlora.spark.cluster;

import java.util.OptionalLong;
import org.apache.spark.SparkConf;
import org.sparkqlora.tensor.DeviceChoice;

/** The limits of a run among Spark's settings. */
public record ClusterSettings(SparkConf conf) {
    private static final String MASTER = "spark.master";
    private static final String MEBI = "m";
    private static final long SMALLEST_OVERHEAD = 384L << 20;
    private static final double OVERHEAD_SHARE = 0.1;

    public boolean isLocal() {
        String master = conf.get(MASTER, "");
        return master.equals("local") || master.startsWith("local[");
    }

    /** Whether the cluster manager ends an executor that takes more than it asked for. */
    public boolean boundsMemory() {
        String master = conf.get(MASTER, "");
        return master.startsWith("yarn") || master.startsWith("k8s");
    }

    /** Native memory that an executor of {@code heapBytes} may use, where the cluster manager limits it. */
    public long overheadBytes(long heapBytes) {
        double share = conf.getDouble("spark.executor.memoryOverheadFactor", OVERHEAD_SHARE);
        long least = Math.max(SMALLEST_OVERHEAD, (long) (share * heapBytes));
        long asked = conf.contains("spark.executor.memoryOverhead")
                ? conf.getSizeAsMb("spark.executor.memoryOverhead", "0" + MEBI) << 20
                : least;
        return asked + offHeapBytes();
    }

    /** See {@link org.sparkqlora.spark.check.ClusterCheck#roomOfExecutor}. */
    public OptionalLong roomOfExecutor(DeviceChoice device, long machineBytes) {
        if (onGpus(device)) {
            return OptionalLong.empty();
        }

        if (isLocal()) {
            return OptionalLong.of(machineBytes / 2);
        }

        long heapBytes = conf.getSizeAsBytes("spark.executor.memory", "1g");
        return boundsMemory() ? OptionalLong.of(heapBytes + overheadBytes(heapBytes)) : OptionalLong.empty();
    }

    /** See {@link org.sparkqlora.spark.check.ClusterCheck#onGpus}. */
    public boolean onGpus(DeviceChoice device) {
        boolean given = conf.getInt(ModelTasks.GPUS_OF_EXECUTOR, 0) > 0;
        return given && device != DeviceChoice.CPU || device == DeviceChoice.CUDA;
    }

    /** Memory outside the heap of each executor that Spark counts by itself. */
    public long offHeapBytes() {
        return conf.getBoolean("spark.memory.offHeap.enabled", false)
                ? conf.getSizeAsBytes("spark.memory.offHeap.size", "0")
                : 0;
    }

    /** Whether executors hold GPUs that tasks which compute with the model would not get. */
    public boolean leavesGpus() {
        return conf.getInt(ModelTasks.GPUS_OF_EXECUTOR, 0) > 0
                && !ModelTasks.of(conf).wholeGpu()
                && !conf.contains(ModelTasks.GPUS_OF_TASK);
    }
}
