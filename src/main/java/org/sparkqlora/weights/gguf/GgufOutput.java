package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the numbers and texts of a header, little endian. */
final class GgufOutput {
    private static final byte[] ZEROS = new byte[64];

    private final OutputStream out;
    private long position;

    GgufOutput(OutputStream out) {
        this.out = out;
    }

    void int8(int value) throws IOException {
        bytes(new byte[] {(byte) value}, 1);
    }

    void int32(int value) throws IOException {
        bytes(buffer(4).putInt(value).array(), 4);
    }

    void int64(long value) throws IOException {
        bytes(buffer(8).putLong(value).array(), 8);
    }

    void float32(float value) throws IOException {
        int32(Float.floatToRawIntBits(value));
    }

    void text(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int64(bytes.length);
        bytes(bytes, bytes.length);
    }

    /** The first {@code count} of {@code bytes}. */
    void bytes(byte[] bytes, int count) throws IOException {
        out.write(bytes, 0, count);
        position += count;
    }

    /** Zeros up to the next multiple of {@code alignment}. */
    void align(int alignment) throws IOException {
        while (position % alignment != 0) {
            bytes(ZEROS, (int) Math.min(ZEROS.length, alignment - position % alignment));
        }
    }

    private static ByteBuffer buffer(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }
}
