package org.sparkqlora.train;

import org.jspecify.annotations.Nullable;

/**
 * A replica cannot come to the version that is asked for: it has no State from which the updates at hand lead there, or an update was
 * lost with those who had it. What State it has is as it was.
 */
public final class UnreachableStateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnreachableStateException(String message) {
        super(message);
    }

    public UnreachableStateException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** The reason, in words. */
    public String reason() {
        return String.valueOf(getMessage());
    }
}
