package org.sparkqlora.train;

import java.io.DataOutput;
import java.io.IOException;

/** A State of a certain version as a stream of bytes, which {@link TrainState#read} reads. */
public interface SavedState {
    long version();

    void write(DataOutput out) throws IOException;

    /** Whether it stays as it is while training goes on, until it is released. */
    default boolean isLasting() {
        return false;
    }

    /** Called by the thread that trains before it waits for {@link #write}: one that waits for a later step is taken now. */
    default void settle() {}

    /** Called by the thread that trains when it ends without what the State waits for, whose {@link #write} fails then. */
    default void abandon() {}

    /** It is not needed any more. */
    default void release() {}
}
