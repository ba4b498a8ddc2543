package org.sparkqlora.spark.replica;

import org.sparkqlora.input.BadInputException;
import org.sparkqlora.memory.ExchangeMemory;

/**
 * When the driver replaces snapshot and updates by a new snapshot.
 *
 * @param maxUpdates most updates a replica has to replay
 * @param maxUpdateBytes most bytes of updates that are held, unless a snapshot is larger still
 */
public record SnapshotPolicy(int maxUpdates, long maxUpdateBytes) {
    /** Replays at most 16 steps, and holds at most 64 MiB of updates, which with Spark's blocks of them is twice that in the driver. */
    public static final SnapshotPolicy DEFAULT = new SnapshotPolicy(ExchangeMemory.MOST_STEPS, 1L << 26);

    public SnapshotPolicy {
        if (maxUpdates < 1) {
            throw new BadInputException(
                    "Cannot rotate snapshots every %d updates: expected at least 1".formatted(maxUpdates));
        }
    }

    boolean isDue(int updates, long updateBytes, long snapshotBytes) {
        return updates >= maxUpdates || (updates > 0 && updateBytes > Math.max(maxUpdateBytes, snapshotBytes));
    }
}
