package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.spark.source.Share;
import org.sparkqlora.spark.source.SourceSplit;

/**
 * Consecutive lines that are packed on their own, into one file of rows.
 *
 * @param number which group
 * @param pieces where its lines lie, in order
 * @param share which of them are used
 */
public record LineGroup(int number, List<Piece> pieces, Share share) implements Serializable {
    /** Enough documents to fill rows well; few enough that small data keeps several tasks busy. */
    private static final long SMALLEST = 256;

    /** Bounds the time that a task which is lost takes again. */
    private static final long LARGEST = 1 << 14;

    /** Beyond this many groups they grow, up to the largest. */
    private static final long FEW = 64;

    public LineGroup {
        pieces = List.copyOf(pieces);
    }

    /**
     * Lines of one split.
     *
     * @param split where they are
     * @param skip lines of the split before them
     * @param count of records
     * @param firstLine number in the file of the first, from 1
     * @param firstRecord place in the source of the first, from 0
     */
    public record Piece(SourceSplit split, long skip, long count, long firstLine, long firstRecord)
            implements Serializable {}

    /** Lines a group: a function of the number of lines only, never of the cluster. */
    static long sizeFor(long lines) {
        return Math.max(SMALLEST, Math.min(LARGEST, (lines + FEW - 1) / FEW));
    }

    /** Cuts the lines of all splits, {@code counts[i]} in split i, into groups of {@code size} numbered from {@code first} on. */
    public static List<LineGroup> cut(List<SourceSplit> splits, List<Long> counts, long size, int first, Share share) {
        Cutter cutter = new Cutter(size, first, share);
        long firstLine = 1;
        for (int i = 0; i < splits.size(); i++) {
            SourceSplit split = splits.get(i);
            firstLine = split.from() == 0 ? 1 : firstLine;
            cutter.add(split, counts.get(i), firstLine);
            firstLine += counts.get(i);
        }

        return cutter.finish();
    }

    /** Fills one group after the other. */
    private static final class Cutter {
        private final long size;
        private final int first;
        private final Share share;
        private final List<LineGroup> groups = new ArrayList<>();
        private List<Piece> open = new ArrayList<>();
        private long openLines;
        private long records;

        private Cutter(long size, int first, Share share) {
            this.size = size;
            this.first = first;
            this.share = share;
        }

        private void add(SourceSplit split, long lines, long firstLine) {
            long done = 0;
            while (done < lines) {
                long taken = Math.min(size - openLines, lines - done);
                open.add(new Piece(split, done, taken, firstLine + done, records));
                records += taken;
                openLines += taken;
                done += taken;
                closeIfFull();
            }
        }

        private void closeIfFull() {
            if (openLines == size) {
                close();
            }
        }

        private void close() {
            groups.add(new LineGroup(first + groups.size(), open, share));
            open = new ArrayList<>();
            openLines = 0;
        }

        private List<LineGroup> finish() {
            if (openLines > 0) {
                close();
            }

            return groups;
        }
    }
}
