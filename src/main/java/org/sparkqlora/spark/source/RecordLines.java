package org.sparkqlora.spark.source;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;

/** The records of one split as text, in order; a blank one is none. */
public interface RecordLines extends AutoCloseable {
    /** Opens the records of {@code split}, of at most {@code mostBytes} each. */
    static RecordLines open(SourceSplit split, int mostBytes, Configuration configuration) throws IOException {
        return switch (split.file().kind()) {
            case JSON_LINES -> SplitLines.open(split, mostBytes, configuration);
            case TEXT -> new TextLines(SplitLines.open(split, mostBytes, configuration));
            case JSON_LIST -> ListElementsJson.open(split.file(), mostBytes, configuration);
            case PARQUET, ORC, CSV, TSV ->
                throw new IllegalStateException(
                        "Cannot read %s line by line".formatted(split.file().path()));
        };
    }

    /** The error of a record that is longer than the limit. */
    static BadRecordException tooLong(int mostBytes) {
        return new BadRecordException(
                "Cannot read the record: expected at most %d bytes, found more. --max-record-bytes allows more"
                        .formatted(mostBytes));
    }

    /**
     * The next record, or null behind the last.
     *
     * @throws BadRecordException when it cannot be read; the one after it can
     */
    @Nullable
    String next() throws IOException;

    /** Passes over the next record; false behind the last. */
    boolean skip() throws IOException;

    @Override
    void close() throws IOException;
}
