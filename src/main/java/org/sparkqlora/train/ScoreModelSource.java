package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import org.sparkqlora.objective.ScoreObjective;

/** A model whose head scores texts: its gradients are those of the objective. */
public record ScoreModelSource(FolderModelSource model, ScoreObjective objective) implements ModelSource {
    @Override
    public String key() {
        return model.key() + " for " + objective;
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
        return new ScoreGradientModel(model.open(threads), objective);
    }

    @Override
    public GradientModel open(int threads, List<String> gpus) {
        return new ScoreGradientModel(model.open(threads, gpus), objective);
    }
}
