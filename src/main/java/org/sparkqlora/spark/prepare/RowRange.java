package org.sparkqlora.spark.prepare;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Rows of one file that one request reads, with what lies between them.
 *
 * @param file of the rows
 * @param rows by their number in the file
 * @param layout of a row
 */
record RowRange(PreparedFile file, List<Asked> rows, RowLayout layout) {
    /** Bytes between two rows that cost less than another request. */
    private static final long NEAR = 1 << 17;

    /** Bytes of a request beyond which it ends with its row. */
    private static final long LONG = 1 << 22;

    /**
     * A row that was asked for.
     *
     * @param place among those asked for
     */
    private record Asked(int place, RowIndex.Place at) {
        private String file() {
            return at.file().name();
        }

        private long row() {
            return at.row();
        }
    }

    /** Ranges of all {@code places}, by file and row. */
    static List<RowRange> of(List<RowIndex.Place> places, RowLayout layout) {
        List<Asked> asked = new ArrayList<>();
        for (int i = 0; i < places.size(); i++) {
            asked.add(new Asked(i, places.get(i)));
        }

        asked.sort(Comparator.comparing(Asked::file).thenComparing(Asked::row));
        List<RowRange> ranges = new ArrayList<>();
        for (Asked row : asked) {
            if (ranges.isEmpty() || !ranges.get(ranges.size() - 1).takes(row)) {
                ranges.add(new RowRange(row.at().file(), new ArrayList<>(), layout));
            }

            ranges.get(ranges.size() - 1).rows().add(row);
        }

        return ranges;
    }

    private boolean takes(Asked next) {
        long size = layout.byteSize();
        return next.file().equals(file.name())
                && (next.row() - last() - 1) * size <= NEAR
                && (next.row() - first()) * size < LONG;
    }

    private long first() {
        return rows.get(0).row();
    }

    private long last() {
        return rows.get(rows.size() - 1).row();
    }

    /** The first byte in the file. */
    long start() {
        return first() * layout.byteSize();
    }

    int bytes() {
        return Math.toIntExact((last() - first() + 1) * layout.byteSize());
    }

    /** Puts the rows of {@code bytes} to their places in {@code target}. */
    void decode(byte[] bytes, TokenRow[] target) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        for (Asked row : rows) {
            buffer.position(Math.toIntExact((row.row() - first()) * layout.byteSize()));
            target[row.place()] = layout.read(buffer);
        }
    }
}
