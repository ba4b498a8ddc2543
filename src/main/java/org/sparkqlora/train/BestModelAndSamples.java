package org.sparkqlora.train;

import java.util.Optional;
import org.sparkqlora.tensor.FlatVector;

/**
 * The best model and the sample answers that evaluations of a run keep.
 *
 * @param best the State of the lowest evaluation loss, which is published at the end; empty where the last one is
 * @param samples answers at each evaluation
 */
public record BestModelAndSamples(Optional<StateStore> best, SampleLog samples) {
    /** Drops what an earlier process kept after {@code version}, -1 for all; a best State of then is replaced when it is the best again. */
    void rewindTo(long version) {
        samples.rewindTo(version);
        if (version <= 0) {
            best.ifPresent(StateStore::clear);
        }
    }

    /** Keeps the State of {@code source} as the best. */
    void save(GradientSource source) {
        best.ifPresent(store -> save(store, source.saved(store::draft)));
    }

    private static void save(StateStore store, SavedState state) {
        try {
            store.save(state);
        } finally {
            state.release();
        }
    }

    /** The trained values of the best State, which the caller closes. */
    Optional<FlatVector> parameters() {
        return best.flatMap(BestModelAndSamples::parameters);
    }

    /** Those of the newest State, compared as they are read; where it is damaged, of the newest that is whole. */
    private static Optional<FlatVector> parameters(StateStore states) {
        try {
            return states.newestByLength().map(StateStore.Stored::parameters);
        } catch (UnreachableStateException e) {
            return states.newest().map(StateStore.Stored::parameters);
        }
    }
}
