package org.sparkqlora.spark;

import org.sparkqlora.train.ProgressReporter;

/** A run's curves in files that TensorBoard shows. Closed, they hold all that was told. */
public interface EventFiles extends ProgressReporter, AutoCloseable {
    /** Writes nothing. */
    static EventFiles none() {
        return () -> {};
    }

    @Override
    void close();
}
