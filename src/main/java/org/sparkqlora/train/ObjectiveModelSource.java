package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.objective.AnswerObjective;

/**
 * A model that trains for answers: its gradients are those of the objective.
 *
 * @param reference that answers are measured from; null where the objective has none, and where rows hold its log-probabilities
 */
public record ObjectiveModelSource(
        FolderModelSource model,
        AnswerObjective objective,
        @Nullable ReferenceParameters reference) implements ModelSource {
    /** This model for rows that hold the log-probabilities of its reference. */
    public ObjectiveModelSource withScoredRows() {
        return new ObjectiveModelSource(model, objective, null);
    }

    @Override
    public String key() {
        return model.key() + " for " + objective + (reference == null ? "" : " from " + reference.key());
    }

    @Override
    public Optional<String> problem() {
        return model.problem();
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
        return ObjectiveGradientModel.of(opened, objective, reference);
    }
}
