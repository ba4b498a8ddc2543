package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.sparkqlora.quant.FloatSource;

/**
 * A tensor in a GGUF file.
 *
 * @param shape outermost dimension first, as Hugging Face has it
 * @param position of its first byte in the file
 */
record GgufTensor(Path file, String name, GgufType type, long[] shape, long position) {
    private static final int SEGMENT_BLOCKS = 1 << 22;

    GgufTensor {
        shape = shape.clone();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    long byteSize() {
        return Math.multiplyExact(elements() / type.blockSize(), type.blockBytes());
    }

    /** The {@code index}-th of the tensors that it holds one below the other, as many as its outermost dimension says. */
    GgufTensor part(int index) {
        return new GgufTensor(
                file,
                name,
                type,
                Arrays.copyOfRange(shape, 1, shape.length),
                position + index * (byteSize() / shape[0]));
    }

    /** The numbers of its blocks, row-major. */
    FloatSource asFloats() {
        return new Blocks(type, elements(), segments());
    }

    private ByteBuffer[] segments() {
        long blocks = elements() / type.blockSize();
        ByteBuffer[] segments = new ByteBuffer[Math.toIntExact((blocks + SEGMENT_BLOCKS - 1) / SEGMENT_BLOCKS)];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (int s = 0; s < segments.length; s++) {
                long from = (long) s * SEGMENT_BLOCKS;
                long count = Math.min(SEGMENT_BLOCKS, blocks - from);
                segments[s] = channel.map(
                                FileChannel.MapMode.READ_ONLY,
                                position + from * type.blockBytes(),
                                count * type.blockBytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to map tensor %s of %s".formatted(name, file), e);
        }

        return segments;
    }

    private record Blocks(GgufType type, long length, ByteBuffer[] segments) implements FloatSource {
        @Override
        public void read(long from, float[] target, int count) {
            int size = type.blockSize();
            float[] block = new float[size];
            for (int done = 0; done < count; ) {
                long at = from + done;
                long index = at / size;
                ByteBuffer segment = segments[(int) (index / SEGMENT_BLOCKS)];
                GgufBlock.read(type, segment, (int) (index % SEGMENT_BLOCKS) * type.blockBytes(), block);
                int skip = (int) (at % size);
                int taken = Math.min(size - skip, count - done);
                System.arraycopy(block, skip, target, done, taken);
                done += taken;
            }
        }
    }
}
