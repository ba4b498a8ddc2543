package org.sparkqlora.spark.prepare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The file of every row, over all files of a prepared folder. */
final class RowIndex {
    private final List<SourceRows> sources;
    private final SourceInterleaving order;
    private final long rows;

    RowIndex(List<PreparedFile> files) {
        this.sources = SourceRows.of(files);
        this.order = new SourceInterleaving(
                sources.stream().mapToLong(SourceRows::rows).toArray());
        this.rows = sources.stream().mapToLong(SourceRows::rows).sum();
    }

    /**
     * The place of a row.
     *
     * @param row number in the file
     */
    record Place(PreparedFile file, long row) {}

    long rows() {
        return rows;
    }

    Place at(long row) {
        SourceInterleaving.Place place = order.at(row);
        return sources.get(place.source()).at(place.row());
    }

    /**
     * Rows of one source.
     *
     * @param files in their order
     * @param firstRows of each file, then the number of rows
     */
    private record SourceRows(List<PreparedFile> files, long[] firstRows) {
        private static List<SourceRows> of(List<PreparedFile> files) {
            int count = 1 + files.stream().mapToInt(PreparedFile::source).max().orElse(0);
            List<SourceRows> sources = new ArrayList<>();
            for (int number = 0; number < count; number++) {
                int source = number;
                sources.add(ofOne(
                        files.stream().filter(file -> file.source() == source).toList()));
            }

            return sources;
        }

        private static SourceRows ofOne(List<PreparedFile> files) {
            long[] firstRows = new long[files.size() + 1];
            for (int i = 0; i < files.size(); i++) {
                firstRows[i + 1] = firstRows[i] + files.get(i).rows();
            }

            return new SourceRows(files, firstRows);
        }

        private long rows() {
            return firstRows[firstRows.length - 1];
        }

        private Place at(long row) {
            int found = Arrays.binarySearch(firstRows, row);
            int file = found >= 0 ? found : -found - 2;
            return new Place(files.get(file), row - firstRows[file]);
        }
    }
}
