package org.sparkqlora.spark;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/** The records of one split as text, in order; a blank one is none. */
interface RecordLines extends AutoCloseable {
    /** Opens the records of {@code split}. */
    static RecordLines open(SourceSplit split, Configuration configuration) throws IOException {
        return switch (split.file().kind()) {
            case JSON_LINES -> SplitLines.open(split, configuration);
            case TEXT -> new TextLines(SplitLines.open(split, configuration));
            case JSON_LIST -> ListElementsJson.open(split.file(), configuration);
            case PARQUET, ORC, CSV, TSV ->
                throw new IllegalStateException(
                        "Cannot read %s line by line".formatted(split.file().path()));
        };
    }

    /** The next record, or null behind the last. */
    @Nullable
    String next() throws IOException;

    /** Passes over the next record; false behind the last. */
    boolean skip() throws IOException;

    @Override
    void close() throws IOException;
}
