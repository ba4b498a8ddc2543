package org.sparkqlora.train;

import java.io.Serializable;

/**
 * Who computed a shard, and how long it took.
 *
 * @param worker the process and its host, as a person knows them
 * @param seconds of the task
 */
public record ShardReport(String worker, PhaseSeconds seconds) implements Serializable {
    public static final ShardReport NONE = new ShardReport("", PhaseSeconds.ZERO);
}
