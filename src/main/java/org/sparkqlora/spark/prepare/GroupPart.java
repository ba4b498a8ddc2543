package org.sparkqlora.spark.prepare;

import java.io.Serializable;

/** A part of a group of a table, as one task read it: some records, or the result where it read all of them. */
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
