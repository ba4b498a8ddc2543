package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.time.LocalDate;

/** Opens a {@link LineEncoder} in a task. */
public interface LineEncoderSource extends Serializable {
    /** Differs where any line may be encoded differently. */
    String fingerprint();

    /** Whether the encoding of lines may depend on the day. */
    default boolean asksForTheDay() {
        return false;
    }

    /** This source, encoding as on {@code day}. */
    default LineEncoderSource on(LocalDate day) {
        return this;
    }

    LineEncoder open();

    /** The vocabulary of its ids. */
    default TokenIds ids() {
        return TokenIds.UNKNOWN;
    }
}
