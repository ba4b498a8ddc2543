package org.sparkqlora.train;

import java.util.Optional;

/** Where States outlive the process. */
public interface StateStore {
    /** The newest State that can be trusted. */
    Optional<TrainState> newest();

    void save(TrainState state);

    /** Forgets all States. */
    default void clear() {}

    /** Keeps nothing. */
    static StateStore none() {
        return new StateStore() {
            @Override
            public Optional<TrainState> newest() {
                return Optional.empty();
            }

            @Override
            public void save(TrainState state) {}
        };
    }
}
