package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;

/** Opens the bigram model, in any process. */
public record BigramSource(int vocabulary) implements ModelSource {
    public BigramSource() {
        this(BigramModel.VOCABULARY);
    }

    @Override
    public String key() {
        return "bigram of " + vocabulary;
    }

    @Override
    public Optional<String> problem(List<String> gpus) {
        return Optional.empty();
    }

    @Override
    public GradientModel open(int threads) {
        return new BigramModel(vocabulary);
    }
}
