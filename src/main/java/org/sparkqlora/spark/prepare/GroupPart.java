package org.sparkqlora.spark.prepare;

import java.io.Serializable;

/** What a task that reads a table has of a group: some of its records, or its result where it had all of them. */
public sealed interface GroupPart extends Serializable {
    /**
     * Some of the records.
     *
     * @param bytes of {@link RecordBatches}
     */
    record Batch(byte[] bytes) implements GroupPart {}

    /** The result. */
    record Packed(GroupResult result) implements GroupPart {}
}
