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

    /** It is not needed any more. */
    default void release() {}
}
