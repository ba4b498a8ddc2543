package org.sparkqlora.command.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkConf;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.spark.blocks.StorageMemory;
import org.sparkqlora.train.BatchShape;

/**
 * The settings of Spark by which a plan fits, as lines of a properties file:
 *
 * <pre>
 * heap      what the plan counts in it, a quarter more for what Spark keeps there, and 512 MiB that Spark takes for itself
 * overhead  what the plan counts beside the heap, and a tenth more: the cluster manager ends who takes more than was asked for
 * off-heap  of that what executors leave for each other, where it would go to disk since Spark's share of the heap is smaller
 * cores     of an executor: its tasks at once, times the threads of one
 * </pre>
 *
 * With GPUs an executor has one for each of its tasks; other stages take a core each, and so a part of a GPU.
 *
 * @param plan of one method
 * @param card a GPU of each task; null where tasks compute on the processor
 * @param step that was planned
 * @param threads that a task computes with
 */
record PlanSettings(MemoryPlan plan, @Nullable GpuMemoryPlan card, BatchShape step, int threads) {
    private static final double SPARKS_SHARE = 1.25;
    private static final double MARGIN = 1.1;
    private static final long MEBI = 1 << 20;
    private static final long SPARKS_OWN = 512 * MEBI;

    /** Of a driver, beside its heap: libraries, a tokenizer, the model's configuration. */
    private static final long DRIVER_OVERHEAD = 1024 * MEBI;

    /** Sizes are told in these. */
    private static final long ROUND = 256 * MEBI;

    List<String> lines() {
        List<String> lines = new ArrayList<>(ofProcesses());
        if (outside() > 0) {
            lines.add(line("spark.memory.offHeap.enabled", true));
            lines.add(line("spark.memory.offHeap.size", size(outside())));
        }

        if (card != null) {
            lines.add(line("spark.executor.resource.gpu.amount", step.tasksAtOnce()));
            lines.add(line("spark.task.resource.gpu.amount", 1.0 / threads));
        }

        return lines;
    }

    private List<String> ofProcesses() {
        return List.of(
                String.format(
                        Locale.ROOT,
                        "# %s: %d tasks a step on %d executors, as 'plan' estimates with the same options. To be put after a file of spark-conf/.",
                        plan.method().optionName(),
                        step.shards(),
                        step.executors()),
                line("spark.driver.memory", size(heap(plan.driverBytes()))),
                line("spark.driver.memoryOverhead", size(DRIVER_OVERHEAD)),
                line("spark.executor.instances", step.executors()),
                line("spark.executor.memory", size(heap(plan.heapBytes()))),
                line("spark.executor.memoryOverhead", size(MARGIN * besideHeap() - outside())),
                line("spark.executor.cores", step.tasksAtOnce() * threads),
                line("spark.task.cpus", card == null ? threads : 1),
                line("spark.cores.max", step.executors() * step.tasksAtOnce() * threads));
    }

    /** Bytes of blocks, none where they fit in Spark's share of the heap. */
    private double outside() {
        double blocks = MARGIN * plan.blockBytes();
        long heap = (long) heap(plan.heapBytes());
        return blocks > StorageMemory.of(new SparkConf(false), heap).bytes() ? blocks : 0;
    }

    private long besideHeap() {
        return card == null ? plan.executorBytes() - plan.heapBytes() : PlanReport.besideHeap(plan, card);
    }

    private static double heap(long bytes) {
        return SPARKS_SHARE * bytes + SPARKS_OWN;
    }

    private static String size(double bytes) {
        return (long) Math.ceil(bytes / ROUND) * (ROUND / MEBI) + "m";
    }

    private static String line(String key, Object value) {
        return "%-39s %s".formatted(key, value);
    }
}
