package org.sparkqlora.spark.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The tasks of a step beside the slots that run them.
 *
 * @param rows of a step, of which each task has at least one
 * @param shards tasks of a step
 * @param slots tasks that the cluster runs at once
 */
record SlotUse(int rows, int shards, int slots) {
    /** How to use slots that stay idle; empty if none does. */
    Optional<String> advice() {
        if (shards % slots == 0) {
            return Optional.empty();
        }

        return Optional.of(shards < slots ? idleAlways() : idleAtTheEnd());
    }

    private String idleAlways() {
        List<String> remedies = new ArrayList<>();
        if (rows < slots) {
            remedies.add("--batch-size " + slots);
        }

        if (shards < rows) {
            remedies.add("--shards " + slots);
        }

        return String.format(
                Locale.ROOT,
                "%d of %d task slots stay idle: a step of %d rows has %d shards. A new run with %s, or a multiple of %d, uses them all.",
                slots - shards,
                slots,
                rows,
                shards,
                String.join(" and ", remedies),
                slots);
    }

    private String idleAtTheEnd() {
        return String.format(
                Locale.ROOT,
                "%d shards on %d task slots leave slots idle: a step takes %d rounds. A multiple of %d shards uses them all.",
                shards,
                slots,
                (shards + slots - 1) / slots,
                slots);
    }
}
