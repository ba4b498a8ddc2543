package org.sparkqlora.spark.source;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.input.InputLimits;

/**
 * The record that a source begins with, to show how it is read.
 *
 * @param source in words
 * @param json the record
 */
public record FirstRecord(String source, String json) {
    /** One of each kind of file, and one of each table. */
    public static List<FirstRecord> of(
            ListedSource source, Function<ListedSource, List<NumberedRecords>> tables, Configuration configuration) {
        List<FirstRecord> firsts = new ArrayList<>();
        for (SourceKind kind : SourceKind.values()) {
            ofLines(source, kind, configuration).ifPresent(firsts::add);
        }

        for (NumberedRecords records : tables.apply(source)) {
            records.sample().map(json -> new FirstRecord(records.words(), json)).ifPresent(firsts::add);
        }

        return firsts;
    }

    private static Optional<FirstRecord> ofLines(ListedSource source, SourceKind kind, Configuration configuration) {
        try {
            for (SourceFile file : source.lineFiles()) {
                String first = file.kind() == kind ? first(SourceSplit.of(file), configuration) : null;
                if (first != null) {
                    return Optional.of(new FirstRecord(kind.words(), first));
                }
            }

            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + source.name(), e);
        }
    }

    private static @Nullable String first(List<SourceSplit> splits, Configuration configuration) throws IOException {
        if (splits.isEmpty()) {
            return null;
        }

        try (RecordLines lines = RecordLines.open(splits.get(0), InputLimits.DEFAULT.recordBytes(), configuration)) {
            Optional<String> line = Optional.of("");
            while (line.isPresent() && line.get().isBlank()) {
                line = next(lines);
            }

            return line.orElse(null);
        }
    }

    /** A record that cannot be read is as a blank one here: preparing will say so, with its place, or count it. */
    private static Optional<String> next(RecordLines lines) throws IOException {
        try {
            return Optional.ofNullable(lines.next());
        } catch (BadRecordException e) {
            return Optional.of("");
        }
    }
}
