package org.sparkqlora.train;

/**
 * A snapshot State(s) and the updates from s on, from which a replica reaches a newer version. Pulled on demand; an
 * {@link UnreachableStateException} says what is lost.
 */
public interface StateLog {
    /** The version of the snapshot. */
    long snapshotVersion();

    /** Whether the updates lead on from {@code version}, so that a replica at it needs no snapshot. */
    default boolean reaches(long version) {
        return version >= snapshotVersion();
    }

    /**
     * A State at {@link #snapshotVersion()}, which the caller owns and keeps in {@code home}.
     *
     * @param model that is to compute at it
     */
    TrainState snapshot(GradientModel model, StateHome home);

    /** The update that applies to {@code version}, which is not below the snapshot's. */
    Update update(long version);
}
