package org.sparkqlora.checkpoint;

import org.sparkqlora.input.BadInputException;

/** There are checkpoints, but none can be trusted. */
public final class InvalidCheckpointException extends BadInputException {
    private static final long serialVersionUID = 1L;

    InvalidCheckpointException(String message) {
        super(message);
    }
}
