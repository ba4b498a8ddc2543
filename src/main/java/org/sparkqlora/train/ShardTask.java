package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.SplitMix;
import org.sparkqlora.tokenizer.TokenRow;

/**
 * The gradient of one shard of one step: a pure function of plan, parameters, step and shard.
 *
 * <p>Micro-batches go through the model in row order, and their gradients are summed in float32 in that order.
 */
public final class ShardTask {
    private final BatchPlan batches;
    private final long seed;
    private final RowReader rows;

    public ShardTask(BatchPlan batches, long seed, RowReader rows) {
        this.batches = batches;
        this.seed = seed;
        this.rows = rows;
    }

    /** Computes {@code shard} of {@code step} into {@code gradient}, which is all zeros and becomes the result's. */
    public ShardResult compute(BoundModel model, FlatVector gradient, long step, int shard) {
        long[] slice = batches.rowsOf(step, shard, seed);
        LossTotal total = LossTotal.ZERO;
        long tokens = 0;
        for (int from = 0; from < slice.length; from += batches.microBatchSize()) {
            long[] numbers = Arrays.copyOfRange(slice, from, Math.min(slice.length, from + batches.microBatchSize()));
            List<TokenRow> microBatch = readAll(numbers);
            LossTotal loss = model.addGradient(microBatch, gradient, passSeed(step, shard, from));
            if (!Double.isFinite(loss.lossSum())) {
                return firstBroken(model, shard, numbers, loss);
            }

            total = total.plus(loss);
            tokens += microBatch.stream().mapToLong(TokenRow::length).sum();
        }

        return new ShardResult.Gradient(shard, total, tokens, gradient, ShardReport.NONE);
    }

    /** A seed for each micro-batch of the run; {@code first} is its first place in the shard. */
    private long passSeed(long step, int shard, int first) {
        long ofStep = SplitMix.mix(seed + SplitMix.STEP * (step + 1));
        return SplitMix.mix(SplitMix.mix(ofStep + shard) + first);
    }

    private List<TokenRow> readAll(long[] numbers) {
        List<TokenRow> microBatch = new ArrayList<>(numbers.length);
        for (long number : numbers) {
            microBatch.add(rows.read(number));
        }

        return microBatch;
    }

    /** Goes through the rows of a micro-batch one by one; blames the first when none is broken alone. */
    private ShardResult firstBroken(BoundModel model, int shard, long[] numbers, LossTotal together) {
        for (long number : numbers) {
            LossTotal alone = LossTotal.sum(model.losses(List.of(rows.read(number))));
            if (!Double.isFinite(alone.lossSum())) {
                return new ShardResult.BrokenLoss(shard, number, alone.lossSum());
            }
        }

        return new ShardResult.BrokenLoss(shard, numbers[0], together.lossSum());
    }
}
