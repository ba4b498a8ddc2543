package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Reads a header from front to back and believes no length that the file cannot hold or that no model needs. */
final class GgufCursor {
    private final String file;
    private final InputStream in;
    private final long size;
    private long position;

    GgufCursor(String file, InputStream in, long size) {
        this.file = file;
        this.in = in;
        this.size = size;
    }

    long position() {
        return position;
    }

    byte int8() throws IOException {
        return bytes(1).get();
    }

    short int16() throws IOException {
        return bytes(2).getShort();
    }

    int int32() throws IOException {
        return bytes(4).getInt();
    }

    long int64() throws IOException {
        return bytes(8).getLong();
    }

    String text() throws IOException {
        int length = count("a text", 1, InputLimits.DEFAULT.ggufTextBytes());
        return StandardCharsets.UTF_8.decode(bytes(length)).toString();
    }

    /** A number of things that take at least {@code leastBytes} bytes each. */
    int count(String things, int leastBytes) throws IOException {
        return count(things, leastBytes, InputLimits.DEFAULT.ggufListLength());
    }

    private int count(String things, int leastBytes, int limit) throws IOException {
        long start = position;
        long count = int64();
        long most = Math.min(limit, (size - position) / leastBytes);
        if (count < 0 || count > most) {
            throw wrong(
                    start,
                    String.format(Locale.ROOT, "the length of %s, at most %d", things, most),
                    Long.toUnsignedString(count));
        }

        return (int) count;
    }

    /** The error that byte {@code at} should have held {@code expected}. */
    InvalidWeightsException wrong(long at, String expected, Object found) {
        return new InvalidWeightsException(
                "Cannot read %s: expected %s at byte %d, found %s".formatted(file, expected, at, found));
    }

    private ByteBuffer bytes(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw wrong(
                    position,
                    String.format(Locale.ROOT, "%d bytes more", length),
                    "the end of the file at byte " + size);
        }

        position += length;
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
