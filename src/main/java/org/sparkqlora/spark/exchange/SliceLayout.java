package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.train.Summation;

/**
 * The cut of a vector into slices of a fixed length, but for the last, and their assignment to parts: part p has consecutive slices, so its
 * sum is one piece of the vector. A part is what one task adds and one block holds. No choice of it changes a sum.
 *
 * @param length elements of the vector
 * @param sliceLength elements of a slice
 * @param parts at most one a slice, at least one
 */
record SliceLayout(long length, int sliceLength, int parts) implements Serializable {
    /** As many as shards that are added in order: a step of P shards leaves at most 32 P blocks. */
    private static final int MOST_PARTS = 32;

    /** 16 MiB of float32: worth a task and a block. */
    private static final int PART = 1 << 22;

    /** 64 MiB of float32, which is one array and one message. */
    private static final int LARGEST_PART = 1 << 24;

    SliceLayout {
        if (length < 0 || sliceLength < 1 || parts < 1 || parts > Math.max(1, ceilingOf(length, sliceLength))) {
            throw new BadInputException(
                    "Cannot cut %d elements into slices of %d for %d parts: expected a part at least, and a slice a part"
                            .formatted(length, sliceLength, parts));
        }
    }

    /** A layout for a cluster that runs {@code slots} tasks at once. */
    static SliceLayout of(long length, int slots) {
        int sliceLength = Math.toIntExact(Summation.TREE.sliceLength());
        return new SliceLayout(length, sliceLength, partsOf(length, slots));
    }

    /** Parts of a vector, each added by tasks of its own: as many as slots or a multiple of them, but for short and for very long vectors. */
    static int partsOf(long length, int slots) {
        int turn = Math.min(slots, MOST_PARTS);
        long wanted = Math.min(MOST_PARTS, ceilingOf(ceilingOf(length, PART), turn) * turn);
        long most = Math.min(ceilingOf(length, Summation.TREE.sliceLength()), wanted);
        return Math.toIntExact(Math.max(1, Math.max(ceilingOf(length, LARGEST_PART), most)));
    }

    int slices() {
        return Math.toIntExact(Math.max(1, ceilingOf(length, sliceLength)));
    }

    /** First element of {@code slice}; the length for the slice behind the last. */
    long start(int slice) {
        return Math.min(length, (long) slice * sliceLength);
    }

    int size(int slice) {
        return Math.toIntExact(start(slice + 1) - start(slice));
    }

    int firstSlice(int part) {
        return (int) ((long) slices() * part / parts);
    }

    /** First element of {@code part}; the length for the part behind the last. */
    long startOfPart(int part) {
        return start(firstSlice(part));
    }

    int sizeOfPart(int part) {
        return Math.toIntExact(startOfPart(part + 1) - startOfPart(part));
    }

    private static long ceilingOf(long total, long parts) {
        return (total + parts - 1) / parts;
    }
}
