package org.sparkqlora.train;

/** Training has left the numbers: a loss or a gradient is infinite or not a number. Repeating the step would repeat it. */
public final class BrokenLossException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BrokenLossException(String message) {
        super(message);
    }
}
