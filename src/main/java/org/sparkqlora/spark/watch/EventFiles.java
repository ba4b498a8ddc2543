package org.sparkqlora.spark.watch;

import org.sparkqlora.train.metrics.ProgressReporter;

/** A run's curves in files that TensorBoard shows. Closed, they hold all that was told. */
public interface EventFiles extends ProgressReporter, AutoCloseable {
    /** Writes nothing. */
    static EventFiles none() {
        return () -> {};
    }

    @Override
    void close();
}
