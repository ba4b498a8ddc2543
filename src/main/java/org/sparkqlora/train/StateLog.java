package org.sparkqlora.train;

/** How a replica comes to a version that it has not: a snapshot State(s), and the updates from s on. Pulled when asked for. */
public interface StateLog {
    /** The version of the snapshot. */
    long snapshotVersion();

    /** A State at {@link #snapshotVersion()}, which the caller owns and keeps in {@code home}. */
    TrainState snapshot(StateHome home);

    /** The update that applies to {@code version}, which is not below the snapshot's. */
    Update update(long version);
}
