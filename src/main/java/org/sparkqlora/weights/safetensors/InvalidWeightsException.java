package org.sparkqlora.weights.safetensors;

import org.sparkqlora.input.BadInputException;

/** A model's files are missing, damaged or of another kind than expected; reading them again will not help. */
public final class InvalidWeightsException extends BadInputException {
    private static final long serialVersionUID = 1L;

    public InvalidWeightsException(String message) {
        super(message);
    }

    public InvalidWeightsException(String message, Throwable cause) {
        super(message, cause);
    }
}
