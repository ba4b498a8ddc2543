package org.sparkqlora.train;

import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.Phase;
import org.sparkqlora.train.metrics.PhaseClock;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ShardReport;

/**
 * Some optimiser steps that a shard takes by itself, from a State that all shards share: a pure function of plan, State and
 * shard. Afterwards the State becomes the mean over shards, its optimiser's moments included ("Local SGD", arXiv:1805.09767,
 * with Adam). That is not the same as steps in common: shards drift apart, and the mean of LoRA's factors is not the factors
 * of the mean. Of one shard it is the same, but for what a mean in 8 bits rounds.
 *
 * @param home of the shard's own State
 */
public record LocalSgdRound(TrainPlan plan, RowReader rows, StateHome home) {
    /**
     * The shard's State after the round: {@link StateMean#numbers} in place of a gradient.
     *
     * @param shared at which all shards begin; it is not changed
     */
    public ShardResult compute(Replica shared, StateLog log, long version, int shard, PhaseClock clock) {
        try (TrainState own = shared.copyAt(version, log, clock);
                Replica replica = shared.beside(own)) {
            clock.enter(Phase.COMPUTE);
            return steps(own, replica, shard);
        }
    }

    private ShardResult steps(TrainState own, Replica replica, int shard) {
        PhaseSeconds seconds = PhaseSeconds.ZERO;
        FlatVector begin = own.parameters().copy();
        ShardTask task = new ShardTask(plan.batches(), own.seed(), rows);
        LossTotal loss = LossTotal.ZERO;
        long tokens = 0;
        for (int left = plan.batches().roundFrom(own.version()); left > 0; left--) {
            ShardResult result = step(own, replica, task, shard);
            if (!(result instanceof ShardResult.Gradient done)) {
                return result;
            }

            loss = loss.plus(done.loss());
            tokens += done.tokens();
            seconds = seconds.plus(done.report().seconds());
        }

        return new ShardResult.Gradient(shard, loss, tokens, StateMean.numbers(own, begin), ShardReport.of(seconds));
    }

    private ShardResult step(TrainState own, Replica replica, ShardTask task, int shard) {
        long version = own.version();
        ShardResult result = replica.at(
                version,
                StateLog.Own.INSTANCE,
                model -> task.compute(
                        model, own.freshGradient(home), version, shard, task.batchSums(model, version, shard)));
        if (!(result instanceof ShardResult.Gradient shardGradient)) {
            return result;
        }

        try (FlatVector gradient = shardGradient.gradient()) {
            if (shardGradient.loss().terms() == 0) {
                own.passOver(); // a cut batch may leave a shard without rows
                return shardGradient;
            }

            ClippedUpdate step = ClippedUpdate.of(
                    plan, own.position(), SummedVector.of(gradient, plan.summation()), shardGradient.loss());
            if (!step.isFinite()) {
                long first = plan.batches().rowsOf(version, shard, own.seed())[0];
                return new ShardResult.BrokenLoss(shard, first, step.norm());
            }

            replica.apply(step.update());
            return shardGradient;
        }
    }
}
