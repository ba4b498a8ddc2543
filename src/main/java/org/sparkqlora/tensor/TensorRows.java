package org.sparkqlora.tensor;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Rows of a CPU tensor, float32 or bfloat16, read and written as float32. Belongs to one thread. */
public interface TensorRows {
    /** Numbers of a row. */
    int width();

    /** Copies a row to the start of {@code target}. */
    default void load(long row, float[] target) {
        load(row, 0, width(), target);
    }

    /** Copies {@code count} numbers of a row, from its {@code at}th on, to the start of {@code target}. */
    void load(long row, int at, int count, float[] target);

    /** Copies the start of {@code source} to a row. */
    default void store(long row, float[] source) {
        store(row, 0, width(), source);
    }

    /** Copies the first {@code count} numbers of {@code source} to a row, from its {@code at}th on. */
    void store(long row, int at, int count, float[] source);

    /**
     * Rows {@code from} to {@code to - 1} of a tensor without gaps.
     *
     * @param width how many numbers are one row
     */
    static TensorRows of(Tensor tensor, int width, long from, long to, RowMath math) {
        return strided(tensor, width, width, from, to, math);
    }

    /** As {@link #of}, for rows that begin {@code stride} numbers apart from the tensor's first on. */
    static TensorRows strided(Tensor tensor, int width, long stride, long from, long to, RowMath math) {
        long start = from * stride;
        long end = (to - 1) * stride + width;
        return isHalves(tensor)
                ? new Halves(
                        new ShortPointer(tensor.data_ptr())
                                .position(start)
                                .limit(end)
                                .asBuffer(),
                        width,
                        stride,
                        from,
                        math,
                        new short[width])
                : new Floats(
                        new FloatPointer(tensor.data_ptr())
                                .position(start)
                                .limit(end)
                                .asBuffer(),
                        width,
                        stride,
                        from);
    }

    /** libtorch hands out a fresh enum object a call; only an interned one can be compared. */
    static boolean isHalves(Tensor tensor) {
        return tensor.scalar_type().intern() == ScalarType.BFloat16;
    }

    /** Rows in bfloat16. */
    record Halves(ShortBuffer memory, int width, long stride, long first, RowMath math, short[] row)
            implements TensorRows {
        @Override
        public void load(long index, int at, int count, float[] target) {
            memory.get((int) ((index - first) * stride) + at, row, 0, count);
            math.widen(row, target, count);
        }

        @Override
        public void store(long index, int at, int count, float[] source) {
            math.round(source, row, count);
            memory.put((int) ((index - first) * stride) + at, row, 0, count);
        }
    }

    /** Rows in float32. */
    record Floats(FloatBuffer memory, int width, long stride, long first) implements TensorRows {
        @Override
        public void load(long index, int at, int count, float[] target) {
            memory.get((int) ((index - first) * stride) + at, target, 0, count);
        }

        @Override
        public void store(long index, int at, int count, float[] source) {
            memory.put((int) ((index - first) * stride) + at, source, 0, count);
        }
    }
}
