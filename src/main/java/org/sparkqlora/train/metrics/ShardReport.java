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
}
