package org.sparkqlora.train;

import java.util.Locale;

/** A task asks for a version that its replica has left behind: it is a late copy of a task whose result is already known. */
public final class StaleVersionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StaleVersionException(long version, long replica) {
        super(String.format(
                Locale.ROOT,
                "Cannot compute at version %d: this replica is at %d, so the step is already done elsewhere",
                version,
                replica));
    }
}
