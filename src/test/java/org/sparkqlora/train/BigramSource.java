package org.sparkqlora.train;

import java.util.Optional;

/** Opens the bigram model, in any process. */
public record BigramSource() implements ModelSource {
    @Override
    public String key() {
        return "bigram";
    }

    @Override
    public Optional<String> problem() {
        return Optional.empty();
    }

    @Override
    public GradientModel open(int threads) {
        return new BigramModel();
    }
}
