package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * Which rows each step trains on, split over shards and micro-batches.
 *
 * <p>The batch of step s is positions {@code s * batchSize} to {@code (s + 1) * batchSize - 1} of an endless stream of
 * epochs, cut at {@code endPosition}. Shard i of P takes a contiguous slice of it.
 *
 * @param rows prepared rows
 * @param batchSize rows a step, over the whole cluster
 * @param microBatchSize rows that pass through the model at once
 * @param shards slices of a batch, whatever the number of executors
 * @param order in which an epoch visits the rows
 * @param endPosition where the stream ends
 * @param localSteps local steps that a shard takes before the States of all shards are averaged; 1: gradients are summed in every step
 */
public record BatchPlan(
        long rows, int batchSize, int microBatchSize, int shards, RowOrder order, long endPosition, int localSteps)
        implements Serializable {
    /** A plan that sums gradients in every step. */
    public BatchPlan(long rows, int batchSize, int microBatchSize, int shards, RowOrder order, long endPosition) {
        this(rows, batchSize, microBatchSize, shards, order, endPosition, 1);
    }

    public BatchPlan {
        requireAtLeastOne("rows", rows);
        requireAtLeastOne("batch size", batchSize);
        requireAtLeastOne("micro-batch size", microBatchSize);
        requireAtLeastOne("shards", shards);
        requireAtLeastOne("end position", endPosition);
        requireAtLeastOne("local steps", localSteps);
        if ((endPosition - 1) / batchSize >= Integer.MAX_VALUE) {
            throw new BadInputException(
                    "Cannot plan to take %d rows in steps of %d: expected at most %d steps. Lower --epochs, or give --max-steps"
                            .formatted(endPosition, batchSize, Integer.MAX_VALUE));
        }
    }

    /** The order in which an epoch visits the rows. */
    public enum RowOrder {
        SHUFFLED,
        FILE_ORDER
    }

    /** Rows of the stream that {@code epochs} take, which need not be whole. */
    public static long endOfEpochs(double epochs, long rows) {
        if (!(epochs > 0)) {
            throw new BadInputException("Cannot train for %s epochs: expected more than 0".formatted(epochs));
        }

        return Math.max(1, Math.round(epochs * rows));
    }

    /** This stream, ended at {@code position}. */
    BatchPlan until(long position) {
        return new BatchPlan(rows, batchSize, microBatchSize, shards, order, position, localSteps);
    }

    /** Whether neither the last batch nor the last round of local steps is cut. */
    public boolean endsWithAWholeStep() {
        return endPosition % ((long) batchSize * localSteps) == 0;
    }

    /** Steps of the run. */
    public int steps() {
        return Math.toIntExact((endPosition - 1) / batchSize + 1);
    }

    /** Local steps that shards take from {@code step} on before their States are averaged. */
    public int roundFrom(long step) {
        return (int) Math.min(localSteps, steps() - step);
    }

    /** The epoch, counted from 1, in which the first row after {@code steps} lies. */
    public long epochAfter(long steps) {
        return 1 + steps * batchSize / rows;
    }

    /** First position of the batch of {@code step}. */
    public long start(long step) {
        if (step < 0 || step >= steps()) {
            throw new BadInputException("Cannot find the batch of step %d of %d".formatted(step, steps()));
        }

        return step * batchSize;
    }

    /** Rows in the batch of {@code step}: the last one may be cut. */
    public int size(long step) {
        return (int) Math.min(batchSize, endPosition - start(step));
    }

    /** Rows of {@code shard} in the batch of {@code step}, in the order of their gradients; may be none in a cut batch. */
    public long[] rowsOf(long step, int shard, long seed) {
        if (shard < 0 || shard >= shards) {
            throw new BadInputException("Cannot slice a batch for shard %d of %d".formatted(shard, shards));
        }

        long size = size(step);
        long from = start(step) + size * shard / shards;
        long to = start(step) + size * (shard + 1) / shards;
        long[] slice = new long[(int) (to - from)];
        for (int i = 0; i < slice.length; i++) {
            slice[i] = rowAt(from + i, seed);
        }

        return slice;
    }

    private long rowAt(long position, long seed) {
        return switch (order) {
            case SHUFFLED -> EpochOrder.shuffled(seed, position, rows);
            case FILE_ORDER -> EpochOrder.inFileOrder(position, rows);
        };
    }

    private static void requireAtLeastOne(String what, long value) {
        if (value < 1) {
            throw new BadInputException("Cannot plan batches with %s %d: expected at least 1".formatted(what, value));
        }
    }
}
