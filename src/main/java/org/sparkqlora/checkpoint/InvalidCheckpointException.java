package org.sparkqlora.checkpoint;

/** There are checkpoints, but none can be trusted. */
public final class InvalidCheckpointException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    InvalidCheckpointException(String message) {
        super(message);
    }
}
