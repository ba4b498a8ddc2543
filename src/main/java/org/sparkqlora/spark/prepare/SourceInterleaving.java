package org.sparkqlora.spark.prepare;

import java.util.Arrays;

/**
 * The order of the rows of several sources: those of each are spread evenly over all, so that every stretch of rows holds the
 * sources in the parts that all rows do. Row k of the R rows of a source stands at (k + 1/2) / R of the way; of two at the same
 * place, that of the source with the lower number comes first.
 *
 * @param sizes rows of each source
 */
record SourceInterleaving(long[] sizes) {
    SourceInterleaving {
        sizes = sizes.clone();
    }

    /** A source and a row of it. */
    record Place(int source, long row) {}

    /** The source and row at {@code position} of all rows. */
    Place at(long position) {
        for (int source = 0; source < sizes.length; source++) {
            long row = firstNotBefore(source, position);
            if (row < sizes[source] && position(source, row) == position) {
                return new Place(source, row);
            }
        }

        throw new IllegalStateException(
                "Cannot find row %d of sources with %s rows".formatted(position, Arrays.toString(sizes)));
    }

    private long firstNotBefore(int source, long position) {
        long low = 0;
        long high = sizes[source];
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (position(source, middle) < position) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }

        return low;
    }

    private long position(int source, long row) {
        long before = row;
        for (int other = 0; other < sizes.length; other++) {
            before += other == source ? 0 : rowsBefore(other, source, row);
        }

        return before;
    }

    /** Rows m of {@code other} with (2m + 1) / R(other) below (2 row + 1) / R(source), or equal where that decides. */
    private long rowsBefore(int other, int source, long row) {
        long bound = Math.multiplyExact(2 * row + 1, sizes[other]) - (other < source ? 0 : 1);
        return Math.min(sizes[other], (bound / sizes[source] + 1) / 2);
    }
}
