package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.SupervisedTuning;

/**
 * A model whose gradients are those of an objective over answers or scores.
 *
 * @param sharedPrompts whether the prompt of a pair passes once for both answers; plans of earlier versions have it pass twice
 * @param reference that answers are measured from; null where the objective has none, and where rows hold its log-probabilities
 */
public record ObjectiveModelSource(
        FolderModelSource model,
        Objective objective,
        boolean sharedPrompts,
        @Nullable ReferenceParameters reference) implements ModelSource {
    /** {@code model} for {@code objective}, which has no reference; itself where its gradients are those of trained tokens. */
    public static ModelSource of(FolderModelSource model, Objective objective, boolean sharedPrompts) {
        return objective instanceof SupervisedTuning
                ? model
                : new ObjectiveModelSource(model, objective, sharedPrompts, null);
    }

    /** This model for rows that hold the log-probabilities of its reference. */
    public ObjectiveModelSource withScoredRows() {
        return new ObjectiveModelSource(model, objective, sharedPrompts, null);
    }

    @Override
    public String key() {
        return model.key() + " for " + objective + (sharedPrompts ? " sharing prompts" : "")
                + (reference == null ? "" : " from " + reference.key());
    }

    @Override
    public Optional<String> problem(List<String> gpus) {
        return model.problem(gpus);
    }

    @Override
    public GradientModel open(int threads) {
        return of(model.open(threads));
    }

    @Override
    public GradientModel open(int threads, List<String> gpus) {
        return of(model.open(threads, gpus));
    }

    private GradientModel of(DecoderGradientModel opened) {
        return ObjectiveGradientModel.of(opened, objective, sharedPrompts, reference);
    }
}
