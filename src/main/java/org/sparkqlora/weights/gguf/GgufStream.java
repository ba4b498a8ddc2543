package org.sparkqlora.weights.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;

/**
 * Writes a GGUF file of version 3 from front to back: header, metadata, names and places of tensors, and then the numbers of one
 * tensor after the other, some millions at a time.
 */
record GgufStream(GgufEntries entries, List<Tensor> tensors, Workers workers) {
    /** Numbers under way: a multiple of every block's size. */
    private static final int WINDOW = 1 << 20;

    private static final int GRAIN = 1 << 12;
    private static final int MAGIC = 0x46554747;
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;

    GgufStream {
        tensors = List.copyOf(tensors);
    }

    /**
     * A tensor to write.
     *
     * @param shape outermost dimension first
     * @param values opened when its turn comes
     */
    record Tensor(String name, GgufType type, long[] shape, Supplier<FloatSource> values) {
        Tensor {
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
    }

    void write(OutputStream out) throws IOException {
        GgufOutput output = new GgufOutput(out);
        byte[] header = header();
        output.bytes(header, header.length);
        output.align(ALIGNMENT);
        for (Tensor tensor : tensors) {
            write(output, tensor);
            output.align(ALIGNMENT);
        }
    }

    private byte[] header() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        GgufOutput output = new GgufOutput(bytes);
        output.int32(MAGIC);
        output.int32(VERSION);
        output.int64(tensors.size());
        output.int64(entries.size());
        byte[] metadata = entries.bytes();
        output.bytes(metadata, metadata.length);
        long offset = 0;
        for (Tensor tensor : tensors) {
            place(output, tensor, offset);
            offset += (tensor.byteSize() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }

        return bytes.toByteArray();
    }

    private static void place(GgufOutput output, Tensor tensor, long offset) throws IOException {
        long[] shape = tensor.shape();
        output.text(tensor.name());
        output.int32(shape.length);
        for (int i = shape.length - 1; i >= 0; i--) { // innermost first in the file
            output.int64(shape[i]);
        }

        output.int32(tensor.type().code());
        output.int64(offset);
    }

    private void write(GgufOutput output, Tensor tensor) throws IOException {
        FloatSource source = tensor.values().get();
        if (source.length() != tensor.elements()) {
            throw new IllegalStateException("Cannot write tensor %s: expected %d numbers, found %d"
                    .formatted(tensor.name(), tensor.elements(), source.length()));
        }

        float[] values = new float[(int) Math.min(WINDOW, source.length())];
        for (long at = 0; at < source.length(); at += WINDOW) {
            int count = (int) Math.min(WINDOW, source.length() - at);
            source.read(at, values, count);
            byte[] blocks = encoded(tensor.type(), values, count);
            output.bytes(blocks, blocks.length);
        }
    }

    private byte[] encoded(GgufType type, float[] values, int count) {
        int size = type.blockSize();
        ByteBuffer bytes = ByteBuffer.allocate(count / size * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        workers.forRanges(count, GRAIN, (from, to) -> {
            GgufBlockEncoder encoder = new GgufBlockEncoder();
            for (int at = (int) from; at < to; at += size) {
                encoder.write(type, values, at, bytes, at / size * type.blockBytes());
            }
        });
        return bytes.array();
    }
}
