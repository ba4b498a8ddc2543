package org.sparkqlora.train.metrics;

import java.io.Serializable;

/**
 * The worker of a shard, and the time it took.
 *
 * @param worker the process and its host, as a person knows them
 * @param seconds of the task
 * @param memory of that process, when the task was done
 */
public record ShardReport(String worker, PhaseSeconds seconds, ProcessMemory memory) implements Serializable {
    public static final ShardReport NONE = new ShardReport("", PhaseSeconds.ZERO, ProcessMemory.UNKNOWN);

    /** A report of times alone, by a shard that does not know its worker. */
    public static ShardReport of(PhaseSeconds seconds) {
        return new ShardReport(NONE.worker, seconds, NONE.memory);
    }

    /** This report of a task about the shard that it computed. */
    public ShardReport about(ShardReport shard) {
        return new ShardReport(worker, seconds.withReading(shard.seconds.reading()), memory);
    }
}
