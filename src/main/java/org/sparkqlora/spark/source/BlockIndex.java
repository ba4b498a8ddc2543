package org.sparkqlora.spark.source;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import scala.Tuple2;

/**
 * The place of every row among all, from the number of rows in each block.
 *
 * @param blocks by path, then by place in the file
 * @param firstRows place of each block's first row
 * @param rows of all blocks
 */
record BlockIndex(List<Block> blocks, Map<Key, Long> firstRows, long rows) implements Serializable {
    /** The part of a file that a task reads at once, and its rows. */
    record Block(String path, long start, long rows) implements Serializable {
        Key key() {
            return new Key(path, start);
        }
    }

    /** A block's file and first byte. */
    record Key(String path, long start) implements Serializable {}

    /** A row's file and number in it, from 1. */
    record Place(String path, long row) {}

    static BlockIndex of(List<Block> sorted) {
        Map<Key, Long> firstRows = new HashMap<>();
        long rows = 0;
        for (Block block : sorted) {
            firstRows.put(block.key(), rows);
            rows += block.rows();
        }

        return new BlockIndex(new ArrayList<>(sorted), firstRows, rows);
    }

    /** Rows of path, block and JSON, as a task reads them, under their places. Runs in a task. */
    Iterator<Tuple2<Long, String>> number(Iterator<Row> rows) {
        return new Iterator<>() {
            private @Nullable Key block;
            private long place;

            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Tuple2<Long, String> next() {
                Row row = rows.next();
                Key key = new Key(row.getString(0), row.getLong(1));
                place = key.equals(block) ? place + 1 : first(key);
                block = key;
                return new Tuple2<>(place, row.getString(2));
            }
        };
    }

    private long first(Key key) {
        Long first = firstRows.get(key);
        if (first == null) {
            throw new IllegalStateException(
                    "Cannot number the rows of %s: it changed while it was read".formatted(key.path()));
        }

        return first;
    }

    Place place(long row) {
        String path = "";
        long inFile = 0;
        long behind = 0;
        for (Block block : blocks) {
            inFile = block.path().equals(path) ? inFile : 0;
            path = block.path();
            behind += block.rows();
            if (row < behind) {
                return new Place(path, inFile + row - (behind - block.rows()) + 1);
            }

            inFile += block.rows();
        }

        throw new BadInputException("Cannot find row %d of %d".formatted(row, rows));
    }
}
