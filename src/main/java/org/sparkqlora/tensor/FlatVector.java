package org.sparkqlora.tensor;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;

/**
 * A float32 vector in host memory, held in chunks so that no Java array length limits it.
 *
 * <p>All trainable parameters of a run are one such vector; gradients and optimiser state lie parallel to it. Bulk access
 * goes through ranges that may cross chunks. Every operation is elementwise and in index order, so results are the same
 * bits on every machine. Not safe for concurrent writes to the same range.
 */
public final class FlatVector implements Serializable {
    private static final long serialVersionUID = 1L;

    /** 64 MiB a chunk: large enough to be rare, small enough for any garbage collector. */
    private static final int CHUNK_BITS = 24;

    private static final int CHUNK = 1 << CHUNK_BITS;

    private final long length;
    private final float[][] chunks;

    private FlatVector(long length, float[][] chunks) {
        this.length = length;
        this.chunks = chunks;
    }

    /** A vector of {@code length} zeros. */
    public static FlatVector zeros(long length) {
        if (length < 0) {
            throw new IllegalArgumentException("Cannot make a vector of %d elements".formatted(length));
        }

        float[][] chunks = new float[Math.toIntExact((length + CHUNK - 1) >>> CHUNK_BITS)][];
        for (int c = 0; c < chunks.length; c++) {
            chunks[c] = new float[(int) Math.min(CHUNK, length - ((long) c << CHUNK_BITS))];
        }

        return new FlatVector(length, chunks);
    }

    /** A vector holding a copy of {@code values}. */
    public static FlatVector of(float... values) {
        FlatVector vector = zeros(values.length);
        vector.write(0, values, 0, values.length);
        return vector;
    }

    public long length() {
        return length;
    }

    public float get(long index) {
        Objects.checkIndex(index, length);
        return chunks[(int) (index >>> CHUNK_BITS)][(int) (index & (CHUNK - 1))];
    }

    public void set(long index, float value) {
        Objects.checkIndex(index, length);
        chunks[(int) (index >>> CHUNK_BITS)][(int) (index & (CHUNK - 1))] = value;
    }

    /** Copies elements {@code from..from+count-1} to {@code target[at..]}. */
    public void read(long from, float[] target, int at, int count) {
        eachPiece(from, count, (chunk, offset, done, n) -> System.arraycopy(chunk, offset, target, at + done, n));
    }

    /** Copies {@code source[at..at+count-1]} to the elements from {@code from} on. */
    public void write(long from, float[] source, int at, int count) {
        eachPiece(from, count, (chunk, offset, done, n) -> System.arraycopy(source, at + done, chunk, offset, n));
    }

    /** Adds {@code source[at..at+count-1]} to the elements from {@code from} on. */
    public void add(long from, float[] source, int at, int count) {
        eachPiece(from, count, (chunk, offset, done, n) -> addInto(chunk, offset, source, at + done, n));
    }

    /** Adds {@code other} elementwise. */
    public void addAll(FlatVector other) {
        requireSameLength(other);
        for (int c = 0; c < chunks.length; c++) {
            addInto(chunks[c], 0, other.chunks[c], 0, chunks[c].length);
        }
    }

    /** Multiplies every element by {@code factor}. */
    public void scale(float factor) {
        for (float[] chunk : chunks) {
            for (int i = 0; i < chunk.length; i++) {
                chunk[i] *= factor;
            }
        }
    }

    /** Sets every element to zero. */
    public void clear() {
        for (float[] chunk : chunks) {
            Arrays.fill(chunk, 0f);
        }
    }

    public FlatVector copy() {
        float[][] copies = new float[chunks.length][];
        for (int c = 0; c < copies.length; c++) {
            copies[c] = chunks[c].clone();
        }

        return new FlatVector(length, copies);
    }

    /** Sum of squares in float64, in index order. NaN when any element is NaN. */
    public double sumOfSquares() {
        double sum = 0;
        for (float[] chunk : chunks) {
            for (float value : chunk) {
                sum += (double) value * value;
            }
        }

        return sum;
    }

    private void requireSameLength(FlatVector other) {
        if (other.length != length) {
            throw new IllegalArgumentException(
                    "Cannot combine vectors of %d and %d elements".formatted(length, other.length));
        }
    }

    private void eachPiece(long from, int count, PieceAction action) {
        Objects.checkFromIndexSize(from, count, length);
        int done = 0;
        while (done < count) {
            long at = from + done;
            float[] chunk = chunks[(int) (at >>> CHUNK_BITS)];
            int offset = (int) (at & (CHUNK - 1));
            int n = Math.min(count - done, chunk.length - offset);
            action.apply(chunk, offset, done, n);
            done += n;
        }
    }

    private static void addInto(float[] target, int to, float[] source, int from, int count) {
        for (int i = 0; i < count; i++) {
            target[to + i] += source[from + i];
        }
    }

    /** Acts on {@code count} elements of one chunk, {@code done} elements of the range being behind. */
    private interface PieceAction {
        void apply(float[] chunk, int offset, int done, int count);
    }
}
