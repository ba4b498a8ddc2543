package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;

/** Opens the bigram model, in any process. */
public record BigramSource(int vocabulary, int tensors) implements ModelSource {
    public BigramSource() {
        this(BigramModel.VOCABULARY);
    }

    public BigramSource(int vocabulary) {
        this(vocabulary, 1);
    }

    @Override
    public String key() {
        return "bigram of %d in %d".formatted(vocabulary, tensors);
    }

    @Override
    public Optional<String> problem(List<String> gpus) {
        return Optional.empty();
    }

    @Override
    public GradientModel open(int threads) {
        return new BigramModel(vocabulary, tensors);
    }
}
