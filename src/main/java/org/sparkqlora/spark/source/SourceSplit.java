package org.sparkqlora.spark.source;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * A part of a file: the lines whose first byte is in a range.
 *
 * @param file which file
 * @param from first byte
 * @param to byte behind the last
 */
public record SourceSplit(SourceFile file, long from, long to) implements Serializable {
    /**
     * Small enough to share a large file among many tasks, and that a group that begins within one passes over few lines; large enough that
     * opening it does not count.
     */
    private static final long BYTES = 8L << 20;

    /** The parts of {@code file}, in order. They depend on nothing but the file. */
    public static List<SourceSplit> of(SourceFile file) {
        if (!file.splittable()) {
            return List.of(new SourceSplit(file, 0, Long.MAX_VALUE));
        }

        List<SourceSplit> splits = new ArrayList<>();
        for (long from = 0; from < file.length(); from += BYTES) {
            splits.add(new SourceSplit(file, from, Math.min(file.length(), from + BYTES)));
        }

        return splits;
    }
}
