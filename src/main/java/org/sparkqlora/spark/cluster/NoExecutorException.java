package org.sparkqlora.spark.cluster;

/** A cluster that gave no executor in time; it may give one later. */
public final class NoExecutorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoExecutorException(String message) {
        super(message);
    }
}
