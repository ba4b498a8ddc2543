package org.sparkqlora.train;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;

/**
 * Everything that decides the bytes of the adapter, and nothing else: equal plans give equal bytes on any cluster.
 *
 * @param model the base model's folder
 * @param base fingerprint of the base model's weights; null in plans of earlier versions, which did not look
 * @param spec trained tensors, and the precision and quantisation of the rest
 * @param initialAdapter the adapter to start from, if any
 * @param takenFactors SHA-256 of the factors taken out of the base; null unless adapters are initialised from them
 * @param data fingerprint of the prepared rows
 * @param batches which rows each step trains on
 * @param optimizer the rule of an update
 * @param schedule its learning rate
 * @param gradientDtype number format in which shards send their gradients
 * @param maxGradientNorm bound on the norm of the mean gradient; 0 is none
 * @param seed of the first parameters and of the order of rows
 * @param summation order in which gradients are added
 * @param objective of training
 * @param sharedPrompts whether the prompt of a pair passes once for both answers; not in plans of earlier versions
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
        GradientDtype gradientDtype,
        double maxGradientNorm,
        long seed,
        Summation summation,
        Objective objective,
        boolean sharedPrompts)
        implements Serializable {
    /** A plan whose adapters are not initialised from factors of the base. */
    public TrainPlan(
            String model,
            ModelSpec spec,
            @Nullable String initialAdapter,
            String data,
            BatchPlan batches,
            OptimizerSpec optimizer,
            Schedule schedule,
            GradientDtype gradientDtype,
            double maxGradientNorm,
            long seed) {
        this(
                model,
                null,
                spec,
                initialAdapter,
                null,
                data,
                batches,
                optimizer,
                schedule,
                gradientDtype,
                maxGradientNorm,
                seed,
                Summation.TREE,
                Objective.SFT,
                false);
    }

    /** This plan for another objective; where that is of pairs, their prompts are shared. */
    public TrainPlan withObjective(Objective other) {
        return with(base, takenFactors, batches, optimizer, schedule, summation, other, other.isOfPairs());
    }

    /** This plan with the hash of the factors that adapters took out of the base. */
    public TrainPlan withTakenFactors(@Nullable String hash) {
        return with(base, hash, batches, optimizer, schedule, summation, objective, sharedPrompts);
    }

    /** This plan on a base of the given fingerprint. */
    public TrainPlan withBase(@Nullable String fingerprint) {
        return with(fingerprint, takenFactors, batches, optimizer, schedule, summation, objective, sharedPrompts);
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
        return with(
                base,
                takenFactors,
                batches.until(endPosition),
                optimizer,
                schedule.ending(totalSteps),
                summation,
                objective,
                sharedPrompts);
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
        return with(
                before.base() == null ? null : base,
                before.takenFactors(),
                batches,
                optimizer.decaying(before.optimizer().decayed()),
                warmedUpToTheEnd || longer ? schedule.warmingUp(begun.warmupSteps()) : schedule,
                before.summation(),
                objective,
                before.sharedPrompts());
    }

    private TrainPlan with(
            @Nullable String newBase,
            @Nullable String newFactors,
            BatchPlan newBatches,
            OptimizerSpec newOptimizer,
            Schedule newSchedule,
            Summation newSummation,
            Objective newObjective,
            boolean newSharedPrompts) {
        return new TrainPlan(
                model,
                newBase,
                spec,
                initialAdapter,
                newFactors,
                data,
                newBatches,
                newOptimizer,
                newSchedule,
                gradientDtype,
                maxGradientNorm,
                seed,
                newSummation,
                newObjective,
                newSharedPrompts);
    }

    public TrainPlan {
        if (!(maxGradientNorm >= 0)) {
            throw new BadInputException(
                    "Cannot clip gradients to norm %s: expected 0 (off) or more".formatted(maxGradientNorm));
        }
    }

    /**
     * The format of gradients and of their sum. Like the gradients the sum is rounded, once and for all replicas alike; the mean of States after local
     * steps is not.
     */
    public GradientFormat gradientFormat() {
        boolean rounds = summation == Summation.TREE && batches.localSteps() == 1;
        return new GradientFormat(gradientDtype, rounds ? gradientDtype : GradientDtype.FP32, summation);
    }

    /** The count of numbers that a shard of {@code parameters} sends: a gradient, or a whole State with local steps. */
    public static long numbersOfShard(long parameters, OptimizerSpec optimizer, int localSteps) {
        return localSteps == 1 ? parameters : StateMean.length(parameters, optimizer);
    }
}
