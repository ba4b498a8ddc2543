package org.sparkqlora.spark.source;

import java.io.IOException;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Counts the records of a split. Runs in a task. */
public final class CountLines implements Function<SourceSplit, Long> {
    private static final long serialVersionUID = 1L;

    private final Broadcast<SerializableConfiguration> configuration;

    public CountLines(Broadcast<SerializableConfiguration> configuration) {
        this.configuration = configuration;
    }

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
