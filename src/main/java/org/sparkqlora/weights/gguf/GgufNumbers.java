package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.util.AbstractList;
import java.util.RandomAccess;

/**
 * Numbers and truth values of a metadata entry, each made an object when it is asked for: a list of millions takes eight bytes
 * for each.
 */
final class GgufNumbers extends AbstractList<Object> implements RandomAccess {
    private final int type;
    private final long[] bits;

    private GgufNumbers(int type, long[] bits) {
        this.type = type;
        this.bits = bits;
    }

    /** Bytes of a value of {@code type}; 1 for a type that there is not, which reading refuses. */
    static int bytesOf(int type) {
        return switch (type) {
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case 10, 11, 12 -> 8;
            default -> 1;
        };
    }

    static GgufNumbers read(GgufCursor in, int type, int count) throws IOException {
        long[] bits = new long[count];
        for (int i = 0; i < count; i++) {
            bits[i] = switch (type) {
                case 0 -> in.int8() & 0xff;
                case 1, 7 -> in.int8();
                case 2 -> in.int16() & 0xffff;
                case 3 -> in.int16();
                case 4 -> Integer.toUnsignedLong(in.int32());
                case 5, 6 -> in.int32();
                case 10, 11, 12 -> in.int64();
                default -> throw in.wrong(in.position() - 4, "the type of a value, 0 to 12", type);
            };
        }

        return new GgufNumbers(type, bits);
    }

    @Override
    public Object get(int index) {
        return switch (type) {
            case 6 -> Float.intBitsToFloat((int) bits[index]);
            case 7 -> bits[index] != 0;
            case 12 -> Double.longBitsToDouble(bits[index]);
            default -> bits[index];
        };
    }

    @Override
    public int size() {
        return bits.length;
    }
}
