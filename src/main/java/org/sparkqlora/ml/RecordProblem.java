package org.sparkqlora.ml;

import org.apache.spark.sql.api.java.UDF1;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.RecordReading;

/**
 * The reason why a row, as JSON, is no training record; null where it is one. Runs in a task.
 *
 * @param reading of records
 */
record RecordProblem(RecordReading reading) implements UDF1<String, @Nullable String> {
    @Override
    public @Nullable String call(String json) {
        try {
            reading.read(json);
            return null;
        } catch (BadRecordException e) {
            return e.getMessage();
        }
    }
}
