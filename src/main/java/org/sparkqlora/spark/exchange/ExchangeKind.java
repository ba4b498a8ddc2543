package org.sparkqlora.spark.exchange;

import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** The way that gradients take to the driver. */
public enum ExchangeKind {
    /** One of the others, by size. */
    AUTO,
    /** Tasks run in the driver's process, so nothing is sent. */
    DRIVER,
    /** Every shard's vector, added on the driver. */
    COLLECT,
    /** Slices, each added by the task that a shuffle brings it to; the sum stays with executors. */
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

    /** The name on the command line. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
