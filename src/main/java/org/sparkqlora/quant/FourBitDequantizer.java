package org.sparkqlora.quant;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Objects;
import org.sparkqlora.input.BadInputException;

/**
 * Turns 4-bit tensors back into numbers, {@code level * absmax} in float32, for bfloat16 rounded to nearest even. The hot
 * path of training: every frozen weight passes here in every forward and backward pass. Safe for concurrent use.
 */
public final class FourBitDequantizer {
    /** Weights handled at a time, a multiple of every block size; codes and values together stay in the first cache. */
    private static final int CHUNK = 2 * BlockSize.LARGEST;

    /** Weights below which a thread costs more to wake than it saves. */
    private static final int GRAIN = 64 * CHUNK;

    private final Workers workers;
    private final FourBitKernel kernel;
    private final ThreadLocal<Scratch> scratches = ThreadLocal.withInitial(Scratch::new);

    public FourBitDequantizer(Workers workers) {
        this(workers, FourBitKernel.fastest());
    }

    FourBitDequantizer(Workers workers, FourBitKernel kernel) {
        this.workers = workers;
        this.kernel = kernel;
    }

    /** Writes all weights to the buffer from its position on, which it leaves as it is. */
    public void toFloat(FourBitTensor tensor, FloatBuffer target) {
        toFloat(tensor, 0, Math.toIntExact(tensor.elements()), target);
    }

    /** Writes the {@code count} weights from {@code from} on to the buffer from its position on. */
    public void toFloat(FourBitTensor tensor, long from, int count, FloatBuffer target) {
        requireRange(tensor, from, count, target.remaining());
        float[] levels = tensor.levels();
        int start = target.position();
        eachChunk(tensor, from, count, (scratch, bytes, skip, length, done) -> {
            kernel.toFloat(scratch.packed, bytes, levels, scratch.absmax, tensor.blockSize(), scratch.floats);
            target.put(start + done, scratch.floats, skip, length);
        });
    }

    /** Writes all weights in rows of {@code width}, which begin {@code stride} numbers apart from the buffer's position on. */
    public void toFloat(FourBitTensor tensor, FloatBuffer target, int width, int stride) {
        int count = requireRows(tensor, width, stride, target.remaining());
        float[] levels = tensor.levels();
        int start = target.position();
        eachChunk(tensor, 0, count, (scratch, bytes, skip, length, done) -> {
            kernel.toFloat(scratch.packed, bytes, levels, scratch.absmax, tensor.blockSize(), scratch.floats);
            eachRow(
                    done,
                    length,
                    width,
                    (at, row, column, part) ->
                            target.put(start + row * stride + column, scratch.floats, skip + at, part));
        });
    }

    /** Writes all weights to the buffer from its position on, which it leaves as it is. */
    public void toBfloat16(FourBitTensor tensor, ShortBuffer target) {
        int count = Math.toIntExact(tensor.elements());
        toBfloat16(tensor, target, count, count);
    }

    /** Writes all weights in rows of {@code width}, which begin {@code stride} numbers apart from the buffer's position on. */
    public void toBfloat16(FourBitTensor tensor, ShortBuffer target, int width, int stride) {
        int count = requireRows(tensor, width, stride, target.remaining());
        float[] levels = tensor.levels();
        int start = target.position();
        eachChunk(tensor, 0, count, (scratch, bytes, skip, length, done) -> {
            kernel.toBfloat16(scratch.packed, bytes, levels, scratch.absmax, tensor.blockSize(), scratch.shorts);
            eachRow(
                    done,
                    length,
                    width,
                    (at, row, column, part) ->
                            target.put(start + row * stride + column, scratch.shorts, skip + at, part));
        });
    }

    /** The number of weights; fails if the buffer is too small for them. */
    private static int requireRows(FourBitTensor tensor, int width, int stride, int remaining) {
        int count = Math.toIntExact(tensor.elements());
        if (width < 1 || stride < width || count % width != 0) {
            throw new BadInputException(
                    "Cannot write %d weights in rows of %d, %d apart".formatted(count, width, stride));
        }

        requireRoom((count / width - 1L) * stride + width, remaining);
        return count;
    }

    private static void requireRange(FourBitTensor tensor, long from, int count, int remaining) {
        Objects.checkFromIndexSize(from, count, tensor.elements());
        requireRoom(count, remaining);
    }

    private static void requireRoom(long needed, int remaining) {
        if (remaining < needed) {
            throw new BadInputException(
                    "Cannot write weights over %d numbers: the buffer has room for %d".formatted(needed, remaining));
        }
    }

    /** Cuts at multiples of {@link #CHUNK}, where blocks begin, whatever the range. */
    private void eachChunk(FourBitTensor tensor, long from, int count, ChunkAction action) {
        long base = from - from % CHUNK;
        long end = from + count;
        workers.forRanges(end - base, GRAIN, (partFrom, partTo) -> {
            Scratch scratch = scratches.get();
            for (long chunk = base + partFrom; chunk < base + partTo; chunk += CHUNK) {
                long chunkEnd = Math.min(chunk + CHUNK, end);
                long first = Math.max(chunk, from);
                int bytes = scratch.load(tensor, chunk, chunkEnd);
                action.apply(scratch, bytes, (int) (first - chunk), (int) (chunkEnd - first), (int) (first - from));
            }
        });
    }

    /** Cuts {@code length} numbers from the {@code first}th on at the ends of rows of {@code width}. */
    private static void eachRow(int first, int length, int width, RowAction action) {
        for (int at = 0; at < length; ) {
            int column = (first + at) % width;
            int count = Math.min(length - at, width - column);
            action.apply(at, (first + at) / width, column, count);
            at += count;
        }
    }

    /** Acts on the {@code count} numbers from the {@code at}th on, which lie in one row. */
    private interface RowAction {
        void apply(int at, int row, int column, int count);
    }

    /** Acts on a chunk of {@code bytes} bytes whose {@code length} values after {@code skip} are wanted. */
    private interface ChunkAction {
        void apply(Scratch scratch, int bytes, int skip, int length, int done);
    }

    /** Buffers of one thread. */
    private static final class Scratch {
        private final byte[] packed = new byte[CHUNK / 2];
        private final float[] absmax = new float[CHUNK / BlockSize.SMALLEST];
        private final short[] shorts = new short[CHUNK];
        private final float[] floats = new float[CHUNK];

        /** Copies codes and scales of the elements from {@code from}, where a block begins, up to {@code to}. */
        private int load(FourBitTensor tensor, long from, long to) {
            int bytes = (int) ((to - from + 1) / 2);
            ByteBuffer codes = tensor.packed();
            codes.get((int) (from / 2), packed, 0, bytes);
            int blockSize = tensor.blockSize();
            tensor.scales().read((int) (from / blockSize), BlockSize.blocks(to - from, blockSize), absmax);
            return bytes;
        }
    }
}
