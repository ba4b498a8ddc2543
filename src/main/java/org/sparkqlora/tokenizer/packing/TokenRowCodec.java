package org.sparkqlora.tokenizer.packing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sparkqlora.input.BadInputException;

/**
 * Bytes of a row, the same count for every row of one width, so that row i is at byte i * size.
 *
 * <p>Little endian: int32 length, int32 ids[width], then one bit a token for trained, then one for starts, each rounded up
 * to whole bytes, lowest bit first. Where documents have values, there follow float64 values[most documents x values a document],
 * zeros behind those of the row's documents.
 */
public final class TokenRowCodec {
    /** What a document with values must fill on average, so that the room for values is small beside the ids. */
    private static final int TOKENS_A_DOCUMENT = 8;

    private TokenRowCodec() {}

    /** Bytes of one row whose documents have no values. */
    public static int byteSize(int width) {
        return Math.addExact(Integer.BYTES + 2 * bitBytes(width), Math.multiplyExact(Integer.BYTES, width));
    }

    /** Bytes of one row whose documents have {@code values} numbers each. */
    public static int byteSize(int width, int values) {
        return Math.addExact(
                byteSize(width),
                Math.multiplyExact(Double.BYTES, Math.multiplyExact(values, values == 0 ? 0 : mostDocuments(width))));
    }

    /** Most documents of a row whose documents have values: so that all rows have one size. */
    public static int mostDocuments(int width) {
        return Math.max(2, width / TOKENS_A_DOCUMENT);
    }

    /** Writes {@code row}, whose documents have {@code values} numbers each, as {@link #write(TokenRow, ByteBuffer)} does. */
    public static void write(TokenRow row, int values, ByteBuffer target) {
        write(row, target);
        ByteBuffer bytes = next(target, byteSize(row.width(), values) - byteSize(row.width()));
        for (double value : row.values()) {
            bytes.putDouble(value);
        }

        while (bytes.hasRemaining()) {
            bytes.put((byte) 0);
        }
    }

    /** Reads a row whose documents have {@code values} numbers each, as {@link #read(ByteBuffer, int)} does. */
    public static TokenRow read(ByteBuffer source, int width, int values) {
        TokenRow row = read(source, width);
        if (values == 0) {
            return row;
        }

        int documents = row.documents().size();
        if (documents > mostDocuments(width)) {
            throw new BadInputException("Cannot read a row of width %d: expected at most %d documents, found %d"
                    .formatted(width, mostDocuments(width), documents));
        }

        ByteBuffer bytes = next(source, byteSize(width, values) - byteSize(width));
        double[] found = new double[documents * values];
        bytes.asDoubleBuffer().get(found);
        return new TokenRow(row.ids(), row.trained(), row.starts(), row.length(), found);
    }

    /** Writes {@code row} at the position of {@code target}, which moves behind it; the byte order of the buffer does not count. */
    public static void write(TokenRow row, ByteBuffer target) {
        int width = row.width();
        ByteBuffer bytes = nextRow(target, width);
        bytes.putInt(row.length());
        for (int id : row.ids()) {
            bytes.putInt(id);
        }

        writeBits(row.trained(), bytes);
        writeBits(row.starts(), bytes);
    }

    /** Reads the row at the position of {@code source}, which moves behind it; the byte order of the buffer does not count. */
    public static TokenRow read(ByteBuffer source, int width) {
        ByteBuffer bytes = nextRow(source, width);
        int length = bytes.getInt();
        int[] ids = new int[width];
        for (int t = 0; t < width; t++) {
            ids[t] = bytes.getInt();
        }

        return new TokenRow(ids, readBits(bytes, width), readBits(bytes, width), length);
    }

    private static ByteBuffer nextRow(ByteBuffer buffer, int width) {
        int size = byteSize(width);
        if (buffer.remaining() < size) {
            throw new BadInputException("Cannot use a buffer for a row of width %d: expected %d bytes, found %d"
                    .formatted(width, size, buffer.remaining()));
        }

        return next(buffer, size);
    }

    private static ByteBuffer next(ByteBuffer buffer, int size) {
        ByteBuffer bytes = buffer.slice(buffer.position(), size).order(ByteOrder.LITTLE_ENDIAN);
        buffer.position(buffer.position() + size);
        return bytes;
    }

    private static int bitBytes(int width) {
        return (width + Byte.SIZE - 1) / Byte.SIZE;
    }

    private static void writeBits(boolean[] values, ByteBuffer target) {
        byte[] bits = new byte[bitBytes(values.length)];
        for (int i = 0; i < values.length; i++) {
            bits[i / Byte.SIZE] |= (byte) (values[i] ? 1 << (i % Byte.SIZE) : 0);
        }

        target.put(bits);
    }

    private static boolean[] readBits(ByteBuffer source, int count) {
        byte[] bits = new byte[bitBytes(count)];
        source.get(bits);
        boolean[] values = new boolean[count];
        for (int i = 0; i < count; i++) {
            values[i] = (bits[i / Byte.SIZE] >> (i % Byte.SIZE) & 1) != 0;
        }

        return values;
    }
}
