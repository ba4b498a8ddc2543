package org.sparkqlora.train;

import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.Recompute;

/**
 * The size of a step, and its distribution over shards and executors.
 *
 * @param sequenceLength tokens a row
 * @param batchSize rows a step
 * @param microBatchSize most rows that pass through the model at once
 * @param shards tasks a step
 * @param executors processes that the tasks are spread over, all of an executor's at once
 * @param recompute activations that the backward pass computes again
 * @param passes most passes that a task runs at once
 */
public record BatchShape(
        int sequenceLength,
        int batchSize,
        int microBatchSize,
        int shards,
        int executors,
        Recompute recompute,
        int passes) {
    /** From this many on, products gain little from more. */
    private static final int TOKENS_AT_ONCE = 1024;

    /**
     * The default for the rows of a micro-batch: as many as have 1,024 tokens, but no more than leave each pass of a task a micro-batch. A
     * small model takes 1.6 times as long where two threads divide its products.
     *
     * @param width tokens a row
     * @param rows of a step
     * @param shards tasks of a step
     * @param passes that a task runs at once
     */
    public static int microBatchSize(int width, int rows, int shards, int passes) {
        requirePositive("tokens a row", width);
        requirePositive("shards", shards);
        requirePositive("passes a task", passes);
        return Math.max(1, Math.min(TOKENS_AT_ONCE / width, rows / shards / passes));
    }

    /** A step that keeps the inputs of layers only, in tasks of one pass at once. */
    public BatchShape(int sequenceLength, int batchSize, int microBatchSize, int shards, int executors) {
        this(sequenceLength, batchSize, microBatchSize, shards, executors, Recompute.ALL, 1);
    }

    public BatchShape {
        requirePositive("tokens a row", sequenceLength);
        requirePositive("rows a step", batchSize);
        requirePositive("rows a micro-batch", microBatchSize);
        requirePositive("shards", shards);
        requirePositive("executors", executors);
        requirePositive("passes a task", passes);
        if (shards > batchSize) {
            throw new BadInputException(
                    "Cannot split a step of %d rows over %d shards: expected no more shards than rows"
                            .formatted(batchSize, shards));
        }
    }

    /** Rows that pass through the model at once: a shard may have fewer than a micro-batch. */
    public int rowsAtOnce() {
        return Math.min(microBatchSize, rowsOfShard());
    }

    /** Micro-batches that a task has in its model at once. */
    public int parallelPasses() {
        return Math.min(passes, microBatches());
    }

    /** Gradients that a task holds, the sum among them, to which the first micro-batch adds its own. */
    public int gradients() {
        return parallelPasses() == 1 ? 1 : Math.min(parallelPasses() + 1, microBatches());
    }

    private int microBatches() {
        return ceilingOf(rowsOfShard(), rowsAtOnce());
    }

    private int rowsOfShard() {
        return ceilingOf(batchSize, shards);
    }

    /** A step as one executor sees it, of no more than two micro-batches a lane: more of them take no more memory. */
    public BatchShape ofOneExecutor() {
        int tasks = tasksAtOnce();
        int rows = 2 * rowsAtOnce() * parallelPasses() * tasks;
        return new BatchShape(sequenceLength, rows, rowsAtOnce(), tasks, 1, recompute, passes);
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
            throw new BadInputException("Cannot plan a step of %d %s: expected at least 1".formatted(value, what));
        }
    }
}
