package org.sparkqlora.train;

import org.sparkqlora.model.Recompute;

/**
 * How large a step is, and how it is spread.
 *
 * @param sequenceLength tokens a row
 * @param batchSize rows a step
 * @param microBatchSize most rows that pass through the model at once
 * @param shards tasks a step
 * @param executors processes that the tasks are spread over, all of an executor's at once
 * @param recompute what a pass does not keep
 */
public record StepSize(
        int sequenceLength, int batchSize, int microBatchSize, int shards, int executors, Recompute recompute) {
    /** A step that keeps the inputs of layers only. */
    public StepSize(int sequenceLength, int batchSize, int microBatchSize, int shards, int executors) {
        this(sequenceLength, batchSize, microBatchSize, shards, executors, Recompute.ALL);
    }

    public StepSize {
        requirePositive("tokens a row", sequenceLength);
        requirePositive("rows a step", batchSize);
        requirePositive("rows a micro-batch", microBatchSize);
        requirePositive("shards", shards);
        requirePositive("executors", executors);
        if (shards > batchSize) {
            throw new IllegalArgumentException(
                    "Cannot split a step of %d rows over %d shards: expected no more shards than rows"
                            .formatted(batchSize, shards));
        }
    }

    /** Rows that pass through the model at once: a shard may have fewer than a micro-batch. */
    int rowsAtOnce() {
        return Math.min(microBatchSize, ceilingOf(batchSize, shards));
    }

    /** A step as one executor sees it, of no more than two micro-batches a task: more of them take no more memory. */
    public StepSize ofOneExecutor() {
        int tasks = tasksAtOnce();
        return new StepSize(sequenceLength, 2 * rowsAtOnce() * tasks, rowsAtOnce(), tasks, 1, recompute);
    }

    /** Tasks that an executor runs at once. */
    public int tasksAtOnce() {
        return ceilingOf(shards, executors);
    }

    private static int ceilingOf(int total, int parts) {
        return (total + parts - 1) / parts;
    }

    private static void requirePositive(String what, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(
                    "Cannot plan a step of %d %s: expected at least 1".formatted(value, what));
        }
    }
}
