package org.sparkqlora.spark.blocks;

import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.StorageLevel;
import org.sparkqlora.spark.cluster.ClusterSettings;

/**
 * Spark's storage memory of a process, as far as it bounds {@link ExecutorBlocks}. They lie outside Java's heap; Spark counts them against a
 * share of it ({@code UnifiedMemoryManager}) all the same, unless more is set aside outside.
 *
 * @param ofHeap bytes, most of {@code spark.memory.fraction} of a heap
 * @param outside bytes, {@code spark.memory.offHeap.size} where that is enabled
 */
public record StorageMemory(long ofHeap, long outside) {
    private static final long RESERVED = 300L << 20;
    private static final double USUAL_SHARE = 0.6;

    /** Of a process with {@code heapBytes}. */
    public static StorageMemory of(SparkConf conf, long heapBytes) {
        double share = conf.getDouble("spark.memory.fraction", USUAL_SHARE);
        return new StorageMemory(
                (long) (share * Math.max(0, heapBytes - RESERVED)), new ClusterSettings(conf).offHeapBytes());
    }

    /** Of this process. */
    static StorageMemory here() {
        return of(SparkEnv.get().conf(), Runtime.getRuntime().maxMemory());
    }

    /** For blocks. */
    public long bytes() {
        return Math.max(ofHeap, outside);
    }

    /** Of blocks in memory, on disk where that is full. */
    StorageLevel level() {
        return outside > ofHeap ? StorageLevel.OFF_HEAP() : StorageLevel.MEMORY_AND_DISK_SER();
    }
}
