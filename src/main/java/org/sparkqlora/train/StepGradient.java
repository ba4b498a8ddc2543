package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.StepSeconds;

/**
 * The gradient of one step's batch, summed over its shards.
 *
 * @param loss over all trained tokens of the batch
 * @param tokens all tokens that went through the model, padding not counted
 * @param gradient derivative of {@code loss.lossSum()}
 * @param shards the results that were added, without their vectors, in shard order
 * @param seconds of the step by phase, so far
 */
public record StepGradient(
        LossTotal loss, long tokens, FlatVector gradient, List<ShardResult.Gradient> shards, StepSeconds seconds) {
    public StepGradient {
        shards = List.copyOf(shards);
    }

    /**
     * Adds shards up in the order of their numbers, in float32, whatever order they came in. The first shard's vector
     * becomes the sum, the others are closed. A result that came twice counts once.
     */
    public static StepGradient sum(long step, int shards, List<? extends ShardResult> results) {
        List<ShardResult> inOrder = inShardOrder(step, shards, results);
        FlatVector sum = gradientOf(step, inOrder.get(0)).gradient();
        LossTotal loss = LossTotal.ZERO;
        long tokens = 0;
        List<ShardResult.Gradient> facts = new ArrayList<>();
        for (ShardResult result : inOrder) {
            ShardResult.Gradient shard = gradientOf(step, result);
            if (shard.shard() > 0) {
                sum.addAll(shard.gradient());
                shard.gradient().close();
            }

            loss = loss.plus(shard.loss());
            tokens += shard.tokens();
            facts.add(shard.withoutVector());
        }

        return new StepGradient(loss, tokens, sum, facts, StepSeconds.ZERO);
    }

    /** These facts with {@code gradient}, which was summed apart from them. */
    public StepGradient withGradient(FlatVector summed) {
        return new StepGradient(loss, tokens, summed, shards, seconds);
    }

    /**
     * This gradient with the time that computing and exchanging it took together.
     *
     * @param atOnce most shards that compute at once
     */
    public StepGradient within(double totalSeconds, int atOnce) {
        List<PhaseSeconds> tasks =
                shards.stream().map(shard -> shard.report().seconds()).toList();
        return new StepGradient(loss, tokens, gradient, shards, StepSeconds.of(tasks, totalSeconds, atOnce));
    }

    private static List<ShardResult> inShardOrder(long step, int shards, List<? extends ShardResult> results) {
        ShardResult[] byShard = new ShardResult[shards];
        for (ShardResult result : results) {
            byShard[result.shard()] = result;
        }

        for (int shard = 0; shard < shards; shard++) {
            if (byShard[shard] == null) {
                throw new IllegalStateException(
                        "Cannot sum step %d: expected %d shards, shard %d is missing".formatted(step, shards, shard));
            }
        }

        return List.of(byShard);
    }

    private static ShardResult.Gradient gradientOf(long step, ShardResult result) {
        if (result instanceof ShardResult.Gradient gradient) {
            return gradient;
        }

        ShardResult.BrokenLoss broken = (ShardResult.BrokenLoss) result;
        throw new BrokenLossException("Cannot take step %d: expected a finite loss, found %s in row %d (shard %d)"
                .formatted(step + 1, broken.lossSum(), broken.row(), broken.shard()));
    }
}
