package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * The cut of a vector into slices of nearly equal length, and their assignment to parts of a job: part p has consecutive slices,
 * so its sum is one piece of the vector. No choice of it changes a sum. Slices may be empty.
 *
 * @param length elements of the vector
 * @param slices count of slices
 * @param parts tasks that add; at most one a slice
 */
record SliceLayout(long length, int slices, int parts) implements Serializable {
    /** 1 MiB of float32: many fit in memory beside each other, and each is worth its envelope. */
    private static final int SLICE = 1 << 18;

    /** 32 MiB of float32, which every default of Spark lets pass as one result. */
    private static final int PART = 1 << 23;

    /** Most bytes of a part's result besides its values. */
    private static final long ENVELOPE = 1 << 16;

    SliceLayout {
        if (length < 0 || parts < 1 || slices < parts) {
            throw new BadInputException(
                    "Cannot cut %d elements into %d slices for %d tasks: expected at least one slice a task"
                            .formatted(length, slices, parts));
        }
    }

    /** A layout for a cluster that runs {@code slots} tasks at once. */
    static SliceLayout of(long length, int slots) {
        int parts = Math.toIntExact(Math.max(slots, ceilingOf(length, PART)));
        return new SliceLayout(length, Math.toIntExact(Math.max(parts, ceilingOf(length, SLICE))), parts);
    }

    /** Bytes of the largest part that {@link #of} makes of {@code length} elements, whatever the cluster. */
    static long mostBytesOfPart(long length) {
        return Math.min(length, PART + SLICE) * Float.BYTES + ENVELOPE;
    }

    /** First element of {@code slice}; the length for the slice behind the last. */
    long start(int slice) {
        return length / slices * slice + length % slices * slice / slices;
    }

    int size(int slice) {
        return Math.toIntExact(start(slice + 1) - start(slice));
    }

    int partOf(int slice) {
        return (int) (((long) slice * parts + parts - 1) / slices);
    }

    int firstSlice(int part) {
        return (int) ((long) slices * part / parts);
    }

    /** First element of {@code part}; the length for the part behind the last. */
    long startOfPart(int part) {
        return start(firstSlice(part));
    }

    int sizeOfPart(int part) {
        return Math.toIntExact(startOfPart(part + 1) - startOfPart(part));
    }

    /** Bytes of the largest part. */
    long bytesOfPart() {
        return (ceilingOf(length, parts) + ceilingOf(length, slices)) * Float.BYTES + ENVELOPE;
    }

    private static long ceilingOf(long total, long parts) {
        return (total + parts - 1) / parts;
    }
}
