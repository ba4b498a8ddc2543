package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;

/**
 * All replicas of the State seen as one: computes gradients at its version, and applies updates to every replica. Each method may throw an
 * {@link UnreachableStateException} when all who had the State are lost.
 */
public interface GradientSource extends AutoCloseable {
    /** The State's version and scale of the loss. */
    Position position();

    /**
     * The State's trained values in this process, brought here if they lie elsewhere, without what the optimiser keeps of them. They are the
     * source's own, read only, and only until the next change of the State.
     */
    FlatVector parameters();

    /** The State for a checkpoint, to be written before the next change of it unless it is lasting. */
    SavedState saved();

    /**
     * As {@link #saved()}, where no step follows that could do it beside: executors that hold the State write it as a draft now.
     *
     * @param drafts gives the draft of a version, where there is one
     */
    default SavedState saved(LongFunction<Optional<CheckpointDraft>> drafts) {
        return saved();
    }

    /**
     * As {@link #saved()}, where another step follows: executors that hold the State leave it while they compute that step, and write it as
     * a draft beside it and the steps after.
     *
     * @param drafts gives the draft of a version, where there is one
     */
    default SavedState savedByNextStep(LongFunction<Optional<CheckpointDraft>> drafts) {
        return saved();
    }

    /** The gradient of the step that follows the State's version. */
    StepGradient gradient();

    /** State(v + 1) = State(v).apply(update), here and wherever gradients are computed. */
    void apply(Update update);

    /**
     * The result of shards that take {@code batches.localSteps()} local steps each from the State's version on: the sum over
     * shards of {@link StateMean}'s numbers in place of a gradient.
     *
     * @param plan of the run
     */
    StepGradient localRound(TrainPlan plan);

    /**
     * The State becomes {@code mean}, {@code steps} versions on, here and wherever gradients are computed.
     *
     * @return how far the shards were apart, see {@link StateMean#divergence}
     */
    double become(StateMean mean, int steps);

    /** The most bytes of optimiser state and of its buffers that this process has held at once. */
    long optimizerResidentBytes();

    /** Loss over the held-out rows at the State's version; no tokens where there are no such rows. */
    LossTotal evaluate();

    /** The continuation of each prompt at the State's version, in their order. */
    List<int[]> generate(List<int[]> prompts, GenerationSpec spec);

    @Override
    void close();
}
