package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.MicroBatch;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.SplitMix;
import org.sparkqlora.tensor.cuda.GpuMemoryException;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.metrics.ShardReport;

/**
 * The gradient of one shard of one step: a pure function of plan, parameters, step and shard.
 *
 * <p>Micro-batches go through the model in row order, and their gradients are summed in float32 in that order.
 */
public final class ShardTask {
    private static final Logger LOG = LoggerFactory.getLogger(ShardTask.class);

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
        return compute(model, gradient, step, shard, batches.microBatchSize());
    }

    /**
     * If a micro-batch does not fit in a GPU's memory, the whole shard begins anew with micro-batches half as large: the same sum, added in
     * smaller parts.
     */
    private ShardResult compute(BoundModel model, FlatVector gradient, long step, int shard, int microRows) {
        try {
            return inMicroBatches(model, gradient, step, shard, microRows);
        } catch (GpuMemoryException e) {
            if (microRows == 1) {
                throw new GpuMemoryException(
                        "Cannot compute a row on the GPU: %s. Beside the model in 4 bits, activations take its memory: lower --sequence-length, take --recompute all, or fewer tasks a GPU; 'plan' tells what takes how much"
                                .formatted(e.getMessage()),
                        e);
            }

            LOG.warn(
                    "No room on the GPU for {} rows at once, so that shard {} takes half: {}",
                    microRows,
                    shard,
                    e.getMessage());
        }

        gradient.clear();
        return compute(model, gradient, step, shard, (microRows + 1) / 2);
    }

    private ShardResult inMicroBatches(BoundModel model, FlatVector gradient, long step, int shard, int microRows) {
        long[] slice = batches.rowsOf(step, shard, seed);
        List<MicroBatch> microBatches = new ArrayList<>();
        for (int from = 0; from < slice.length; from += microRows) {
            long[] numbers = numbers(slice, from, microRows);
            microBatches.add(new MicroBatch(rows.readAll(numbers), passSeed(step, shard, from)));
        }

        List<LossTotal> losses = model.addGradients(microBatches, gradient);
        for (int i = 0; i < losses.size(); i++) {
            if (!Double.isFinite(losses.get(i).lossSum())) {
                return firstBroken(model, shard, numbers(slice, i * microRows, microRows), losses.get(i));
            }
        }

        long tokens = microBatches.stream()
                .flatMap(each -> each.rows().stream())
                .mapToLong(TokenRow::length)
                .sum();
        return new ShardResult.Gradient(shard, LossTotal.sum(losses), tokens, gradient, ShardReport.NONE);
    }

    private static long[] numbers(long[] slice, int from, int count) {
        return Arrays.copyOfRange(slice, from, Math.min(slice.length, from + count));
    }

    /** A seed for each micro-batch of the run; {@code first} is its first place in the shard. */
    private long passSeed(long step, int shard, int first) {
        long ofStep = SplitMix.mix(seed + SplitMix.STEP * (step + 1));
        return SplitMix.mix(SplitMix.mix(ofStep + shard) + first);
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
