package org.sparkqlora.train;

import org.sparkqlora.tensor.VectorPool;

/**
 * A snapshot State(s) and the updates from s on, from which a replica reaches a newer version. Pulled on demand; an
 * {@link UnreachableStateException} says what is lost.
 */
public interface StateLog {
    /** The version of the snapshot. */
    long snapshotVersion();

    /** Whether this leads on from {@code version}, so that a replica at it needs no snapshot. */
    default boolean reaches(long version) {
        return version >= snapshotVersion();
    }

    /**
     * A State at {@link #snapshotVersion()}, which the caller owns and keeps in {@code home}.
     *
     * @param model that is to compute at it
     */
    TrainState snapshot(GradientModel model, StateHome home);

    /**
     * Moves {@code state} on to a newer version. Where it throws an {@link UnreachableStateException}, the State is as it was, or at version -1 and
     * of no use any more.
     *
     * @param pool vectors of as many numbers as there are parameters
     * @param beforeChange is run before the State changes
     */
    void advance(TrainState state, VectorPool pool, Runnable beforeChange);

    /** The log of a replica that its owner moves on, and that therefore never pulls anything. */
    enum Own implements StateLog {
        INSTANCE;

        @Override
        public long snapshotVersion() {
            return 0;
        }

        @Override
        public TrainState snapshot(GradientModel model, StateHome home) {
            throw new IllegalStateException("Cannot pull a snapshot: this replica is moved on by its owner");
        }

        @Override
        public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
            throw new IllegalStateException(
                    "Cannot pull the update of version %d: this replica is moved on by its owner"
                            .formatted(state.version()));
        }
    }
}
