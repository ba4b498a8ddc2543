package org.sparkqlora.spark.source;

import java.util.List;

/**
 * The files and tables behind a data source of the command line.
 *
 * @param name as it was named, for messages
 * @param weight its part of the mixture; 0 when all of it is used
 * @param files sorted by path
 * @param tables of the catalog or in folders
 */
public record ListedSource(String name, double weight, List<SourceFile> files, List<SourceTable> tables) {
    public ListedSource {
        files = List.copyOf(files);
        tables = List.copyOf(tables);
    }

    /** Whether the session's time zone may change its records. */
    public boolean mayHoldTimes() {
        return !tables.isEmpty()
                || files.stream().anyMatch(file -> file.kind() == SourceKind.PARQUET || file.kind() == SourceKind.ORC);
    }

    /** Files that we read ourselves. */
    public List<SourceFile> lineFiles() {
        return files.stream().filter(file -> !file.kind().isTable()).toList();
    }
}
