package org.sparkqlora.tensor;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.Bfloat16;

/**
 * Numbers of a CPU tensor without gaps, float32 or bfloat16. A long stretch at a time is fetched to the heap and added from there:
 * memory is read faster the longer a stretch is. Belongs to one thread.
 */
public sealed interface FetchedNumbers {
    static FetchedNumbers of(Tensor tensor, RowMath math) {
        return TensorRows.isHalves(tensor)
                ? new Halves(
                        new ShortPointer(tensor.data_ptr())
                                .limit(tensor.numel())
                                .asBuffer(),
                        new short[0],
                        math)
                : new Floats(
                        new FloatPointer(tensor.data_ptr())
                                .limit(tensor.numel())
                                .asBuffer(),
                        new float[0],
                        math);
    }

    /**
     * A thread's buffer for fetched numbers, of one tensor after the other.
     *
     * @param halves for bfloat16
     * @param floats for float32
     */
    record Room(short[] halves, float[] floats) {
        /** Room for {@code most} numbers of tensors of a type at a time. */
        public static Room of(ScalarType type, int most) {
            return type.intern() == ScalarType.BFloat16
                    ? new Room(new short[most], new float[0])
                    : new Room(new short[0], new float[most]);
        }
    }

    /** The same numbers for the owner of {@code room}. */
    FetchedNumbers through(Room room);

    /** Copies {@code count} numbers from the {@code from}th on; they take the place of those before. */
    void fetch(long from, int count);

    /** Adds {@code count} rows of {@code width} of the numbers that were fetched, from the {@code at}th on, one after the other. */
    void addRows(int at, int count, int width, WeightedSums sums);

    /** Writes {@code count} numbers of {@code source}, from its {@code from}th on, to places {@code stride} apart. */
    void put(long at, int stride, float[] source, int from, int count);

    /** Numbers in bfloat16. */
    record Halves(ShortBuffer memory, short[] room, RowMath math) implements FetchedNumbers {
        @Override
        public FetchedNumbers through(Room others) {
            return new Halves(memory, others.halves(), math);
        }

        @Override
        public void fetch(long from, int count) {
            memory.get((int) from, room, 0, count);
        }

        @Override
        public void addRows(int at, int count, int width, WeightedSums sums) {
            math.addRows(sums, count, room, at, width);
        }

        @Override
        public void put(long at, int stride, float[] source, int from, int count) {
            for (int i = 0; i < count; i++) {
                memory.put((int) at + i * stride, Bfloat16.round(source[from + i]));
            }
        }
    }

    /** Numbers in float32. */
    record Floats(FloatBuffer memory, float[] room, RowMath math) implements FetchedNumbers {
        @Override
        public FetchedNumbers through(Room others) {
            return new Floats(memory, others.floats(), math);
        }

        @Override
        public void fetch(long from, int count) {
            memory.get((int) from, room, 0, count);
        }

        @Override
        public void addRows(int at, int count, int width, WeightedSums sums) {
            math.addRows(sums, count, room, at, width);
        }

        @Override
        public void put(long at, int stride, float[] source, int from, int count) {
            for (int i = 0; i < count; i++) {
                memory.put((int) at + i * stride, source[from + i]);
            }
        }
    }
}
