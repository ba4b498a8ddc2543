package org.sparkqlora.train;

import java.util.Locale;

/** A loss or a gradient is infinite or not a number. Repeating the step would repeat it. */
public final class BrokenLossException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String REMEDY =
            "The same settings would break again: inspect the data, or begin anew in another --output with a lower"
                    + " --learning-rate or more --warmup-steps";

    BrokenLossException(String message) {
        super(message);
    }

    private BrokenLossException(String message, BrokenLossException cause) {
        super(message, cause);
    }

    /**
     * This exception with the checkpoints that a later run can continue from.
     *
     * @param followed step of the newest checkpoint from which a step was finite; 0 if there is none
     * @param newest step of the newest checkpoint; 0 if there is none
     */
    BrokenLossException after(long followed, long newest) {
        return new BrokenLossException(
                "%s. %s. %s".formatted(getMessage(), checkpoints(followed, newest), REMEDY), this);
    }

    private static String checkpoints(long followed, long newest) {
        if (newest == 0) {
            return "There is no checkpoint yet";
        }

        if (followed == newest) {
            return String.format(
                    Locale.ROOT, "The checkpoint of step %d is good: the loss was finite after it", newest);
        }

        String broken =
                String.format(Locale.ROOT, "The checkpoint of step %d is the one that no finite loss follows", newest);
        return followed == 0 ? broken : broken + String.format(Locale.ROOT, "; that of step %d is good", followed);
    }
}
