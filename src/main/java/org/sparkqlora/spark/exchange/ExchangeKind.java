package org.sparkqlora.spark.exchange;

import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** How gradients come to the driver. */
public enum ExchangeKind {
    /** One of the others, by size. */
    AUTO,
    /** Where tasks run in the driver nothing has to come there. */
    DRIVER,
    /** Every shard's vector, added on the driver. */
    COLLECT,
    /** Slices, each added by the task that a shuffle brings it to; the driver takes one vector. */
    SHUFFLE,
    /** By BigDL's AllReduceParameter, in jars that were built with it. */
    BIGDL;

    /** The kind of a command line's word. */
    public static ExchangeKind parse(String word) {
        for (ExchangeKind kind : values()) {
            if (kind != DRIVER && kind.word().equals(word)) {
                return kind;
            }
        }

        throw new BadInputException(
                "Cannot exchange gradients by '%s': expected auto, collect, shuffle or bigdl".formatted(word));
    }

    /** How a command line names it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
