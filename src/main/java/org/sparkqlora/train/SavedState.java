package org.sparkqlora.train;

import java.io.DataOutput;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.storage.StoredFile;

/** A State of a certain version as a stream of bytes, which {@link TrainState#read} reads. */
public interface SavedState {
    long version();

    void write(DataOutput out) throws IOException;

    /** Its bytes in files that others have written, for which this waits; empty where they are to be had from {@link #write} alone. */
    default Optional<StateParts> parts() {
        return Optional.empty();
    }

    /**
     * A State in files, one after the other.
     *
     * @param draft of the checkpoint that they are of
     */
    record StateParts(CheckpointDraft draft, List<StoredFile> files) {
        public StateParts {
            files = List.copyOf(files);
        }
    }

    /** Whether it stays as it is while training goes on, until it is released. */
    default boolean isLasting() {
        return false;
    }

    /** Called by the thread that trains before it waits for a save: one that waits for a later step is taken now. */
    default void settle() {}

    /** Called by the thread that trains when it ends without what the State waits for, whose {@link #write} fails then. */
    default void abandon() {}

    /** It is not needed any more. */
    default void release() {}
}
