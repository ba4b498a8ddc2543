package org.sparkqlora.train;

/** The log of a replica that its owner moves on, and that therefore never pulls anything. */
public enum OwnStateLog implements StateLog {
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
    public Update update(long version) {
        throw new IllegalStateException(
                "Cannot pull the update of version %d: this replica is moved on by its owner".formatted(version));
    }
}
