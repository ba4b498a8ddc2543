package org.sparkqlora.spark.watch;

import org.apache.spark.scheduler.SparkListenerEvent;

/**
 * Something that happened in a training run. Spark's event log has each as one JSON object with the class under {@code Event};
 * a history server without these classes leaves them out.
 */
public sealed interface RunEvent extends SparkListenerEvent
        permits RunStarted, StepTaken, HeldOutMeasured, CheckpointWritten, FaultSeen, MemorySeen, RunEnded {
    /** Which run; an application may have several, one after the other. */
    String run();

    /** When, in milliseconds since 1970. */
    long timeMillis();
}
