package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.model.MicroBatch;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.SplitMix;
import org.sparkqlora.tensor.cuda.GpuMemoryException;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.Phase;
import org.sparkqlora.train.metrics.PhaseClock;
import org.sparkqlora.train.metrics.ShardReport;

/**
 * The gradient of one shard of one step: a pure function of plan, parameters, step and shard.
 *
 * <p>Micro-batches go through the model in row order, and their gradients are summed in float32 in that order.
 */
public record ShardTask(BatchPlan batches, long seed, RowReader rows) {
    private static final Logger LOG = LoggerFactory.getLogger(ShardTask.class);

    /** What {@code shard} adds to the sums over the batch of {@code step}. */
    public Measures batchSums(BoundModel model, long step, int shard) {
        if (!model.needsBatchSums()) {
            return Measures.NONE;
        }

        long[] numbers = batches.rowsOf(step, shard, seed);
        Slice slice = new Slice(step, shard, numbers, rows.readAll(numbers), Measures.NONE);
        return model.batchSums(microBatches(slice, batches.microBatchSize()));
    }

    /**
     * Computes {@code shard} of {@code step} into {@code gradient}, which is all zeros and becomes the result's.
     *
     * @param ofBatch sums of {@link #batchSums} over all shards
     */
    public ShardResult compute(BoundModel model, FlatVector gradient, long step, int shard, Measures ofBatch) {
        PhaseClock clock = PhaseClock.startIn(Phase.READ);
        Slice slice = read(step, shard, ofBatch);
        clock.enter(Phase.COMPUTE);
        ShardResult result = compute(model, gradient, slice, batches.microBatchSize());
        return result.reported(ShardReport.of(clock.seconds()));
    }

    /** Rows of the step after are read ahead. */
    private Slice read(long step, int shard, Measures ofBatch) {
        long[] now = batches.rowsOf(step, shard, seed);
        long[] next = step + 1 < batches.steps() ? batches.rowsOf(step + 1, shard, seed) : new long[0];
        return new Slice(step, shard, now, rows.readAhead(now, next), ofBatch);
    }

    /**
     * If a micro-batch does not fit in a GPU's memory, the whole shard begins anew with micro-batches half as large: the same sum, added in
     * smaller parts.
     */
    private ShardResult compute(BoundModel model, FlatVector gradient, Slice slice, int microRows) {
        try {
            return inMicroBatches(model, gradient, slice, microRows);
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
                    slice.shard(),
                    e.getMessage());
        }

        gradient.clear();
        return compute(model, gradient, slice, (microRows + 1) / 2);
    }

    private ShardResult inMicroBatches(BoundModel model, FlatVector gradient, Slice slice, int microRows) {
        List<LossTotal> losses = model.addGradients(microBatches(slice, microRows), slice.ofBatch(), gradient);
        for (int i = 0; i < losses.size(); i++) {
            if (!Double.isFinite(losses.get(i).lossSum())) {
                return firstBroken(model, slice, i * microRows, microRows, losses.get(i));
            }
        }

        long tokens = slice.rows().stream().mapToLong(TokenRow::length).sum();
        return new ShardResult.Gradient(slice.shard(), LossTotal.sum(losses), tokens, gradient, ShardReport.NONE);
    }

    private List<MicroBatch> microBatches(Slice slice, int microRows) {
        List<MicroBatch> microBatches = new ArrayList<>();
        for (int from = 0; from < slice.size(); from += microRows) {
            microBatches.add(new MicroBatch(slice.rows(from, microRows), passSeed(slice.step(), slice.shard(), from)));
        }

        return microBatches;
    }

    /** A seed for each micro-batch of the run; {@code first} is its first place in the shard. */
    private long passSeed(long step, int shard, int first) {
        long ofStep = SplitMix.mix(seed + SplitMix.STEP * (step + 1));
        return SplitMix.mix(SplitMix.mix(ofStep + shard) + first);
    }

    /** Goes through the rows of a micro-batch one by one; blames the first when none is broken alone. */
    private static ShardResult firstBroken(BoundModel model, Slice slice, int from, int count, LossTotal together) {
        List<TokenRow> microBatch = slice.rows(from, count);
        for (int i = 0; i < microBatch.size(); i++) {
            LossTotal alone = LossTotal.sum(model.losses(microBatch.subList(i, i + 1)));
            if (!Double.isFinite(alone.lossSum())) {
                return new ShardResult.BrokenLoss(slice.shard(), slice.numbers()[from + i], alone.lossSum());
            }
        }

        return new ShardResult.BrokenLoss(slice.shard(), slice.numbers()[from], together.lossSum());
    }

    /**
     * The rows of a shard in a step.
     *
     * @param ofBatch sums over all shards
     */
    private record Slice(long step, int shard, long[] numbers, List<TokenRow> rows, Measures ofBatch) {
        private int size() {
            return numbers.length;
        }

        private List<TokenRow> rows(int from, int most) {
            return rows.subList(from, Math.min(size(), from + most));
        }
    }
}
