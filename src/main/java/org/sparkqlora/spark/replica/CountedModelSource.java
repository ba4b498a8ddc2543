package org.sparkqlora.spark.replica;

import java.util.List;
import java.util.Optional;
import org.apache.spark.util.LongAccumulator;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/**
 * A model source that counts how often processes open it, which should be once each.
 *
 * @param model to open
 * @param opened count, shown in Spark's UI too
 */
record CountedModelSource(ModelSource model, LongAccumulator opened) implements ModelSource {
    @Override
    public String key() {
        return model.key();
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
        opened.add(1);
        return model.open(threads);
    }

    @Override
    public GradientModel open(int threads, List<String> gpus) {
        opened.add(1);
        return model.open(threads, gpus);
    }
}
