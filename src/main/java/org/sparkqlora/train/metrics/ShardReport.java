package org.sparkqlora.train.metrics;

import java.io.Serializable;

/**
 * Who computed a shard, and how long it took.
 *
 * @param worker the process and its host, as a person knows them
 * @param seconds of the task
 * @param memory of that process, when the task was done
 */
public record ShardReport(String worker, PhaseSeconds seconds, ProcessMemory memory) implements Serializable {
    public static final ShardReport NONE = new ShardReport("", PhaseSeconds.ZERO, ProcessMemory.UNKNOWN);

    /** What a shard knows of itself: the time it took to read, and to compute. */
    public static ShardReport of(PhaseSeconds seconds) {
        return new ShardReport(NONE.worker, seconds, NONE.memory);
    }

    /** This report of a task about the shard that it computed. */
    public ShardReport about(ShardReport shard) {
        return new ShardReport(worker, seconds.withReading(shard.seconds.reading()), memory);
    }
}
