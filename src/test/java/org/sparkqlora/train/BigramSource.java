package org.sparkqlora.train;

/** Opens the bigram model, in any process. */
public record BigramSource() implements ModelSource {
    @Override
    public String key() {
        return "bigram";
    }

    @Override
    public GradientModel open(int threads) {
        return new BigramModel();
    }
}
