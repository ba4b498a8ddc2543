package org.sparkqlora.spark.prepare;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * Cuts records under their places into runs: records of one group that follow each other. A run has to be read before the next is asked
 * for.
 */
final class GroupRuns implements Iterator<GroupRuns.Run> {
    private final Iterator<Tuple2<Long, String>> records;
    private final long size;
    private @Nullable Tuple2<Long, String> following;

    /** @param size places of a group */
    GroupRuns(Iterator<Tuple2<Long, String>> records, long size) {
        this.records = records;
        this.size = size;
        this.following = advance();
    }

    @Override
    public boolean hasNext() {
        return following != null;
    }

    @Override
    public Run next() {
        if (following == null) {
            throw new NoSuchElementException();
        }

        return new Run(following._1());
    }

    private @Nullable Tuple2<Long, String> advance() {
        return records.hasNext() ? records.next() : null;
    }

    /** Records of one group, from one place on without a gap. */
    final class Run implements Iterator<Tuple2<Long, String>> {
        private final long first;
        private long end; // the place behind those read

        private Run(long first) {
            this.first = first;
            this.end = first;
        }

        /** The number of the group, of those of the table. */
        int group() {
            return Math.toIntExact(first / size);
        }

        /** The place of its first record. */
        long first() {
            return first;
        }

        /** The place behind its last record, once all are read. */
        long end() {
            return end;
        }

        @Override
        public boolean hasNext() {
            return following != null && following._1() == end && end / size == first / size;
        }

        @Override
        public Tuple2<Long, String> next() {
            if (!hasNext() || following == null) {
                throw new NoSuchElementException();
            }

            Tuple2<Long, String> record = following;
            following = advance();
            end++;
            return record;
        }
    }
}
