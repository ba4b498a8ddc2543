package org.sparkqlora.spark.job;

import java.util.List;
import java.util.Optional;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/** A model that seems good and cannot be opened in any executor. */
record BrokenModel(ModelSource model) implements ModelSource {
    @Override
    public String key() {
        return model.key() + " broken";
    }

    @Override
    public Optional<String> problem(List<String> gpus) {
        return model.problem(gpus);
    }

    @Override
    public GradientModel open(int threads) {
        throw new IllegalStateException("Cannot compute: broken");
    }
}
