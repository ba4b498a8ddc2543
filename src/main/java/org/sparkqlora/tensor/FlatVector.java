package org.sparkqlora.tensor;

import java.io.Serializable;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.sparkqlora.input.BadInputException;

/**
 * A float32 vector in host memory or in a scratch file.
 *
 * <p>All trainable parameters of a run are one such vector; gradients and optimiser state lie parallel to it. Bulk access
 * goes through ranges. Every operation is elementwise or in a fixed order, so results are the same bits on every machine and
 * wherever the numbers lie. Not safe for concurrent writes to the same range.
 */
public final class FlatVector implements Serializable, AutoCloseable {
    private static final long serialVersionUID = 2L;
    private static final int PIECE = 1 << 14;

    private final long length;
    private final FloatStore numbers;

    private FlatVector(long length, FloatStore numbers) {
        this.length = length;
        this.numbers = numbers;
    }

    /** A vector of {@code length} zeros in memory. */
    public static FlatVector zeros(long length) {
        requireLength(length);
        return new FlatVector(length, HeapFloats.zeros(length));
    }

    /** A vector of {@code length} zeros in a scratch file below {@code folder}, which goes when the vector is closed. */
    public static FlatVector zerosInFile(Path folder, long length) {
        requireLength(length);
        return new FlatVector(length, FileFloats.zeros(folder, length));
    }

    /** A vector in memory holding a copy of {@code values}. */
    public static FlatVector of(float... values) {
        FlatVector vector = zeros(values.length);
        vector.write(0, values, 0, values.length);
        return vector;
    }

    /** The vector that {@code numbers} hold, which its owner may not free before the last use of the vector. */
    public static FlatVector in(FloatBuffer numbers) {
        return new FlatVector(numbers.capacity(), new BufferFloats(numbers));
    }

    /** A vector of the numbers in {@code store}. */
    static FlatVector over(long length, FloatStore store) {
        return new FlatVector(length, store);
    }

    public long length() {
        return length;
    }

    public float get(long index) {
        Objects.checkIndex(index, length);
        return numbers.get(index);
    }

    public void set(long index, float value) {
        Objects.checkIndex(index, length);
        numbers.set(index, value);
    }

    /** Copies elements {@code from..from+count-1} to {@code target[at..]}. */
    public void read(long from, float[] target, int at, int count) {
        Objects.checkFromIndexSize(from, count, length);
        numbers.read(from, target, at, count);
    }

    /** Copies {@code source[at..at+count-1]} to the elements from {@code from} on. */
    public void write(long from, float[] source, int at, int count) {
        Objects.checkFromIndexSize(from, count, length);
        numbers.write(from, source, at, count);
    }

    /** Adds {@code source[at..at+count-1]} to the elements from {@code from} on. */
    public void add(long from, float[] source, int at, int count) {
        Objects.checkFromIndexSize(from, count, length);
        numbers.add(from, source, at, count);
    }

    /** Adds {@code other} elementwise. */
    public void addAll(FlatVector other) {
        requireSameLength(other);
        other.eachPiece((from, values, count) -> add(from, values, 0, count));
    }

    /** Takes over the elements of {@code other}. */
    public void setAll(FlatVector other) {
        requireSameLength(other);
        other.eachPiece((from, values, count) -> write(from, values, 0, count));
    }

    /** Takes over all elements of {@code other} as those from {@code from} on. */
    public void setRange(long from, FlatVector other) {
        Objects.checkFromIndexSize(from, other.length, length);
        other.eachPiece((at, values, count) -> write(from + at, values, 0, count));
    }

    /** Takes over as many elements of {@code other}, from {@code from} on, as this has. */
    public void setFrom(FlatVector other, long from) {
        Objects.checkFromIndexSize(from, length, other.length);
        float[] values = new float[PIECE];
        for (long at = 0; at < length; at += PIECE) {
            int count = (int) Math.min(PIECE, length - at);
            other.numbers.read(from + at, values, 0, count);
            numbers.write(at, values, 0, count);
        }
    }

    /** A vector in memory of {@code count} elements from {@code from} on. */
    public FlatVector range(long from, long count) {
        Objects.checkFromIndexSize(from, count, length);
        FlatVector range = zeros(count);
        range.eachPiece((at, values, size) -> {
            read(from + at, values, 0, size);
            range.write(at, values, 0, size);
        });
        return range;
    }

    /** Multiplies every element by {@code factor}. */
    public void scale(float factor) {
        eachPiece((from, values, count) -> {
            for (int i = 0; i < count; i++) {
                values[i] *= factor;
            }

            write(from, values, 0, count);
        });
    }

    /** Sets every element to zero. */
    public void clear() {
        eachPiece((from, values, count) -> {
            Arrays.fill(values, 0f);
            write(from, values, 0, count);
        });
    }

    /** A vector in memory with the same elements. */
    public FlatVector copy() {
        FlatVector copy = zeros(length);
        copy.setAll(this);
        return copy;
    }

    /**
     * Sum of squares in float64, as four sums of every fourth element of a piece: one alone would wait for each addition. NaN when any
     * element is NaN.
     */
    public double sumOfSquares() {
        return sumOfSquares(0, length);
    }

    /** Like {@link #sumOfSquares()}, of the {@code count} elements from {@code from} on. */
    public double sumOfSquares(long from, long count) {
        Objects.checkFromIndexSize(from, count, length);
        double[] sums = new double[4];
        float[] values = new float[PIECE];
        for (long at = from; at < from + count; at += PIECE) {
            int size = (int) Math.min(PIECE, from + count - at);
            numbers.read(at, values, 0, size);
            addSquares(values, size, sums);
        }

        return sums[0] + sums[1] + (sums[2] + sums[3]);
    }

    private static void addSquares(float[] values, int count, double[] sums) {
        double first = sums[0];
        double second = sums[1];
        double third = sums[2];
        double fourth = sums[3];
        int whole = count - count % sums.length;
        for (int i = 0; i < whole; i += sums.length) {
            first += (double) values[i] * values[i];
            second += (double) values[i + 1] * values[i + 1];
            third += (double) values[i + 2] * values[i + 2];
            fourth += (double) values[i + 3] * values[i + 3];
        }

        for (int i = whole; i < count; i++) {
            first += (double) values[i] * values[i];
        }

        sums[0] = first;
        sums[1] = second;
        sums[2] = third;
        sums[3] = fourth;
    }

    /** Gives a scratch file back, or memory of a pool; other memory is left to the garbage collector. */
    @Override
    public void close() {
        numbers.close();
    }

    private void eachPiece(PieceAction action) {
        float[] values = new float[PIECE];
        for (long from = 0; from < length; from += PIECE) {
            action.apply(from, values, pieceAt(from, values));
        }
    }

    /** Reads the elements from {@code from} on, as many as fit, and tells how many. */
    private int pieceAt(long from, float[] values) {
        int count = (int) Math.min(values.length, length - from);
        numbers.read(from, values, 0, count);
        return count;
    }

    private static void requireLength(long length) {
        if (length < 0) {
            throw new BadInputException("Cannot make a vector of %d elements".formatted(length));
        }
    }

    private void requireSameLength(FlatVector other) {
        if (other.length != length) {
            throw new BadInputException("Cannot combine vectors of %d and %d elements".formatted(length, other.length));
        }
    }

    /** Acts on {@code count} elements from {@code from} on. */
    private interface PieceAction {
        void apply(long from, float[] values, int count);
    }
}
