package org.sparkqlora.data;

import org.sparkqlora.input.BadInputException;

/** A training record that cannot be used; the message says what was expected and what was found. */
public final class BadRecordException extends BadInputException {
    private static final long serialVersionUID = 1L;

    public BadRecordException(String message) {
        super(message);
    }

    public BadRecordException(String message, Throwable cause) {
        super(message, cause);
    }
}
