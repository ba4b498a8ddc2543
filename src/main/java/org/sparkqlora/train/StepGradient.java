package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.sparkqlora.model.loss.LossTotal;
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
        LossTotal loss, long tokens, SummedGradient gradient, List<ShardResult.Gradient> shards, StepSeconds seconds) {
    public StepGradient {
        shards = List.copyOf(shards);
    }

    /**
     * Adds shards up in the order of their numbers, in float32, whatever order they came in. The vectors are taken over: one becomes
     * the sum, the others are closed. A result that came twice counts once.
     */
    public static StepGradient sum(long step, int shards, List<? extends ShardResult> results, GradientFormat format) {
        List<FlatVector> vectors = inShardOrder(step, shards, results).stream()
                .map(result -> gradientOf(step, result).gradient())
                .toList();
        return of(step, shards, results, () -> format.summed(format.order().sum(vectors)));
    }

    /**
     * The facts of {@code results}, whose vectors are added by someone else.
     *
     * @param gradient their sum, asked for when all shards have one
     */
    public static StepGradient of(
            long step, int shards, List<? extends ShardResult> results, Supplier<SummedGradient> gradient) {
        LossTotal loss = LossTotal.ZERO;
        long tokens = 0;
        List<ShardResult.Gradient> facts = new ArrayList<>();
        for (ShardResult result : inShardOrder(step, shards, results)) {
            ShardResult.Gradient shard = gradientOf(step, result);
            loss = loss.plus(shard.loss());
            tokens += shard.tokens();
            facts.add(shard.withoutVector());
        }

        return new StepGradient(loss, tokens, gradient.get(), facts, StepSeconds.ZERO);
    }

    /** Throws a {@link BrokenLossException} or an {@link UnreachableStateException} if a shard has no gradient. */
    public static void requireGradients(long step, List<? extends ShardResult> results) {
        results.forEach(result -> gradientOf(step, result));
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

        if (result instanceof ShardResult.Unreachable unreachable) {
            throw new UnreachableStateException(unreachable.reason());
        }

        ShardResult.BrokenLoss broken = (ShardResult.BrokenLoss) result;
        throw new BrokenLossException("Cannot take step %d: expected a finite loss, found %s in row %d (shard %d)"
                .formatted(step + 1, broken.lossSum(), broken.row(), broken.shard()));
    }
}
