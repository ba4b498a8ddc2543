package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;

/** Does what another source does, but for what a test does otherwise. */
public interface PassingSource extends GradientSource {
    GradientSource source();

    @Override
    default Position position() {
        return source().position();
    }

    @Override
    default FlatVector parameters() {
        return source().parameters();
    }

    @Override
    default SavedState saved() {
        return source().saved();
    }

    @Override
    default SavedState savedByNextStep(LongFunction<Optional<CheckpointDraft>> drafts) {
        return source().savedByNextStep(drafts);
    }

    @Override
    default StepGradient gradient() {
        return source().gradient();
    }

    @Override
    default void apply(Update update) {
        source().apply(update);
    }

    @Override
    default StepGradient localRound(TrainPlan plan) {
        return source().localRound(plan);
    }

    @Override
    default double become(StateMean mean, int steps) {
        return source().become(mean, steps);
    }

    @Override
    default long optimizerResidentBytes() {
        return source().optimizerResidentBytes();
    }

    @Override
    default LossTotal evaluate() {
        return source().evaluate();
    }

    @Override
    default List<int[]> generate(List<int[]> prompts, GenerationSpec spec) {
        return source().generate(prompts, spec);
    }

    @Override
    default void close() {
        source().close();
    }
}
