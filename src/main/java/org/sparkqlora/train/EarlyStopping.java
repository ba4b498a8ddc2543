package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.train.metrics.Evaluated;

/** The evaluations of a run so far: the best one, and whether training should stop. */
final class EarlyStopping {
    private final int patience;
    private @Nullable Evaluated best;
    private int sinceBest; // evaluations since the best

    private EarlyStopping(int patience) {
        this.patience = patience;
    }

    /**
     * After earlier evaluations.
     *
     * @param patience evaluations without a better one after which training stops; 0: it never stops early
     */
    static EarlyStopping after(List<Evaluated> earlier, int patience) {
        EarlyStopping stopping = new EarlyStopping(patience);
        earlier.forEach(stopping::add);
        return stopping;
    }

    /** Whether this one is the best. */
    boolean add(Evaluated evaluated) {
        boolean better = best == null ? !Double.isNaN(evaluated.loss()) : evaluated.loss() < best.loss();
        best = better ? evaluated : best;
        sinceBest = better ? 0 : sinceBest + 1;
        return better;
    }

    boolean isExhausted() {
        return patience > 0 && sinceBest >= patience;
    }

    Optional<Evaluated> best() {
        return Optional.ofNullable(best);
    }
}
