package org.sparkqlora.input;

import org.jspecify.annotations.Nullable;

/**
 * Options, configuration or data that cannot be used as they are: the same command would end in the same way. The message says
 * what cannot be done, what was expected, what was found and, where it helps, what to do.
 */
public class BadInputException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    public BadInputException(String message) {
        super(PrintableText.message(message));
    }

    public BadInputException(String message, @Nullable Throwable cause) {
        super(PrintableText.message(message), cause);
    }
}
