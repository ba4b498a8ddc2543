package org.sparkqlora.train.metrics;

/** The phases of a gradient task. */
public enum Phase {
    /** Held up by other tasks of its process, which still compute at an older version. */
    WAIT,
    /** Opening the base model and the rows, pulling a snapshot, binding the model to it. */
    LOAD,
    /** Pulling and applying the updates since the version that its process was at. */
    REPLAY,
    /** Waiting for the rows of the shard, as far as they were not read while the step before was computed. */
    READ,
    /** Forward and backward. */
    COMPUTE
}
