package org.sparkqlora.spark.replica;

import java.util.Optional;
import org.apache.spark.util.LongAccumulator;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/**
 * Counts how often processes open a model, which should be once each.
 *
 * @param model what is opened
 * @param opened on the pages of a stage too
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
    public GradientModel open(int threads) {
        opened.add(1);
        return model.open(threads);
    }
}
