package org.sparkqlora.train;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;

/**
 * Everything that decides the bytes of the adapter, and nothing else: equal plans give equal bytes on any cluster.
 *
 * @param model the base model's folder
 * @param base fingerprint of the base model's weights; null in plans of earlier versions, which did not look
 * @param spec what is trained and how the rest is held
 * @param initialAdapter the adapter to start from, if any
 * @param takenFactors SHA-256 of what was taken out of the base, where adapters begin so
 * @param data fingerprint of the prepared rows
 * @param batches which rows each step trains on
 * @param optimizer the rule of an update
 * @param schedule its learning rate
 * @param wire in which shard gradients travel
 * @param maxGradientNorm bound on the norm of the mean gradient; 0 is none
 * @param seed of the first parameters and of the order of rows
 */
public record TrainPlan(
        String model,
        @Nullable String base,
        ModelSpec spec,
        @Nullable String initialAdapter,
        @Nullable String takenFactors,
        String data,
        BatchPlan batches,
        OptimizerSpec optimizer,
        Schedule schedule,
        GradientDtype wire,
        double maxGradientNorm,
        long seed)
        implements Serializable {
    /** A plan of adapters that are no part of their base. */
    public TrainPlan(
            String model,
            ModelSpec spec,
            @Nullable String initialAdapter,
            String data,
            BatchPlan batches,
            OptimizerSpec optimizer,
            Schedule schedule,
            GradientDtype wire,
            double maxGradientNorm,
            long seed) {
        this(model, null, spec, initialAdapter, null, data, batches, optimizer, schedule, wire, maxGradientNorm, seed);
    }

    /** The same with what was taken out of the base. */
    public TrainPlan withTakenFactors(@Nullable String hash) {
        return new TrainPlan(
                model,
                base,
                spec,
                initialAdapter,
                hash,
                data,
                batches,
                optimizer,
                schedule,
                wire,
                maxGradientNorm,
                seed);
    }

    /** The same on a base of this fingerprint. */
    public TrainPlan withBase(@Nullable String fingerprint) {
        return new TrainPlan(
                model,
                fingerprint,
                spec,
                initialAdapter,
                takenFactors,
                data,
                batches,
                optimizer,
                schedule,
                wire,
                maxGradientNorm,
                seed);
    }

    /**
     * Whether what {@code before} trained are the first steps of this plan: it is the same plan, or one that ends sooner. Then rates must
     * not depend on the number of steps, and the last step must be a whole one.
     */
    public boolean goesOnFrom(TrainPlan before) {
        return equals(before)
                || schedule.kind() == ScheduleKind.CONSTANT
                        && before.batches.endsWithAWholeStep()
                        && before.batches.endPosition() < batches.endPosition()
                        && equals(before.until(batches.endPosition(), schedule.totalSteps()));
    }

    private TrainPlan until(long endPosition, int totalSteps) {
        return new TrainPlan(
                model,
                base,
                spec,
                initialAdapter,
                takenFactors,
                data,
                batches.until(endPosition),
                optimizer,
                schedule.ending(totalSteps),
                wire,
                maxGradientNorm,
                seed);
    }

    /**
     * This plan as {@code before}, the same plan of an earlier process, was begun: with what was taken out of its base, and where an
     * earlier version decided otherwise, by that decision. More steps at a constant rate do not change the warm-up that was.
     */
    public TrainPlan begunAs(TrainPlan before) {
        Schedule begun = before.schedule();
        boolean warmedUpToTheEnd =
                begun.warmupSteps() >= begun.totalSteps() && schedule.warmupSteps() == schedule.totalSteps() - 1;
        boolean longer = schedule.kind() == ScheduleKind.CONSTANT && schedule.totalSteps() > begun.totalSteps();
        return new TrainPlan(
                model,
                before.base() == null ? null : base,
                spec,
                initialAdapter,
                before.takenFactors(),
                data,
                batches,
                optimizer.decaying(before.optimizer().decayed()),
                warmedUpToTheEnd || longer ? schedule.warmingUp(begun.warmupSteps()) : schedule,
                wire,
                maxGradientNorm,
                seed);
    }

    public TrainPlan {
        if (!(maxGradientNorm >= 0)) {
            throw new BadInputException(
                    "Cannot clip gradients to norm %s: expected 0 (off) or more".formatted(maxGradientNorm));
        }
    }

    /** What a shard of {@code parameters} sends. */
    public long numbersOfShard(long parameters) {
        return numbersOfShard(parameters, optimizer, batches.localSteps());
    }

    /** What a shard of {@code parameters} sends: a gradient, or a whole State where it takes steps by itself. */
    public static long numbersOfShard(long parameters, OptimizerSpec optimizer, int localSteps) {
        return localSteps == 1 ? parameters : StateMean.length(parameters, optimizer);
    }
}
