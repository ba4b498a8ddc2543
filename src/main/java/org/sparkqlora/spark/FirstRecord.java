package org.sparkqlora.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/**
 * The record that a source begins with, to show how it is read.
 *
 * @param source what it is read from, in words
 * @param json the record
 */
public record FirstRecord(String source, String json) {
    static Optional<FirstRecord> of(
            ListedSource source, Function<ListedSource, List<NumberedRecords>> tables, Configuration configuration) {
        try {
            for (SourceFile file : source.lineFiles()) {
                String first = first(SourceSplit.of(file), configuration);
                if (first != null) {
                    return Optional.of(new FirstRecord(file.kind().words(), first));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + source.name(), e);
        }

        String words = source.files().stream()
                .map(file -> file.kind().words())
                .findFirst()
                .orElse("a table");
        return tables.apply(source).stream()
                .flatMap(records -> records.sample().stream())
                .findFirst()
                .map(json -> new FirstRecord(words, json));
    }

    private static @Nullable String first(List<SourceSplit> splits, Configuration configuration) throws IOException {
        if (splits.isEmpty()) {
            return null;
        }

        try (RecordLines lines = RecordLines.open(splits.get(0), configuration)) {
            String line = lines.next();
            while (line != null && line.isBlank()) {
                line = lines.next();
            }

            return line;
        }
    }
}
