package org.sparkqlora.spark.source;

import java.io.IOException;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Counts the records of a split. Runs in a task. */
public record CountLines(Broadcast<SerializableConfiguration> configuration) implements Function<SourceSplit, Long> {
    @Override
    public Long call(SourceSplit split) throws IOException {
        long count = 0;
        try (RecordLines lines =
                RecordLines.open(split, Integer.MAX_VALUE, configuration.value().value())) {
            while (lines.skip()) {
                count++;
            }
        }

        return count;
    }
}
