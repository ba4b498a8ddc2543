package org.sparkqlora.spark.exchange;

import org.sparkqlora.input.OptionChoice;

/** The way that gradients take to the driver. */
public enum ExchangeKind implements OptionChoice {
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

    /** The kind that a command line calls {@code name}. */
    public static ExchangeKind parse(String name) {
        return OptionChoice.parse(
                new ExchangeKind[] {AUTO, COLLECT, SHUFFLE, BIGDL},
                name,
                "Cannot exchange gradients by '%s': expected auto, collect, shuffle or bigdl");
    }
}
