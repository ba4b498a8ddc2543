package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.train.metrics.Evaluated;

/** What evaluations said so far: which was best, and whether it pays to go on. */
final class EarlyStopping {
    private final int patience;
    private @Nullable Evaluated best;
    private int without; // evaluations since the best

    private EarlyStopping(int patience) {
        this.patience = patience;
    }

    /**
     * After earlier evaluations.
     *
     * @param patience evaluations without a better one after which it does not pay; 0: it always pays
     */
    static EarlyStopping after(List<Evaluated> earlier, int patience) {
        EarlyStopping course = new EarlyStopping(patience);
        earlier.forEach(course::add);
        return course;
    }

    /** Whether this one is the best. */
    boolean add(Evaluated evaluated) {
        boolean better = best == null ? !Double.isNaN(evaluated.loss()) : evaluated.loss() < best.loss();
        best = better ? evaluated : best;
        without = better ? 0 : without + 1;
        return better;
    }

    boolean isExhausted() {
        return patience > 0 && without >= patience;
    }

    Optional<Evaluated> best() {
        return Optional.ofNullable(best);
    }
}
