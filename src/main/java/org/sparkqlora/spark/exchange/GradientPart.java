package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.TaskContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.train.ShardResult;

/**
 * A part of the gradient of a shard, or of the sum of some: its numbers stay with the executor that has them.
 *
 * @param facts the results of those shards without their vectors, which only the first part carries
 * @param handle of the encoded part; null if a shard has no gradient
 * @param task Spark's id of the task that left it
 * @param partition the number of that task in its stage
 */
public record GradientPart(List<ShardResult> facts, ExecutorBlocks.@Nullable Handle handle, long task, int partition)
        implements Serializable {
    public GradientPart {
        facts = List.copyOf(facts);
    }

    /** Runs in the task that left it. */
    static GradientPart of(int part, List<ShardResult> facts, ExecutorBlocks.@Nullable Handle handle) {
        TaskContext context = TaskContext.get();
        return new GradientPart(part == 0 ? facts : List.of(), handle, context.taskAttemptId(), context.partitionId());
    }
}
