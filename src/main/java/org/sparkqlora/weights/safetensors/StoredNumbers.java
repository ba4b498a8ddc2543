package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.Bfloat16;

/** Floating-point numbers as they are stored, little endian. */
public final class StoredNumbers {
    private StoredNumbers() {}

    /** Reads {@code count} numbers from number {@code from} of {@code stored} on: exact but for F64, which is rounded. */
    public static void widen(StoredType type, ByteBuffer stored, int from, float[] target, int at, int count) {
        ByteBuffer bytes = stored.duplicate().order(ByteOrder.LITTLE_ENDIAN); // a duplicate forgets its order
        switch (type) {
            case F32 ->
                bytes.position(from * 4)
                        .slice()
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(target, at, count);
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = Bfloat16.widen(bytes.getShort((from + i) * 2));
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = HalfFloat.toFloat(bytes.getShort((from + i) * 2));
                }
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = (float) bytes.getDouble((from + i) * 8);
                }
            }
            case BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, I32, U32, I64, U64 -> throw notFloats(type);
        }
    }

    /**
     * Reads {@code count} numbers that are {@code step} numbers apart, from number {@code from} of {@code stored} on, and puts them
     * {@code gap} places apart.
     */
    static void gather(
            StoredType type, ByteBuffer stored, int from, int step, float[] target, int at, int count, int gap) {
        ByteBuffer bytes = stored.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int width = type.bytes();
        for (int i = 0; i < count; i++) {
            int place = (from + i * step) * width;
            target[at + i * gap] = switch (type) {
                case F32 -> bytes.getFloat(place);
                case BF16 -> Bfloat16.widen(bytes.getShort(place));
                case F16 -> HalfFloat.toFloat(bytes.getShort(place));
                case F64 -> (float) bytes.getDouble(place);
                case BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, I32, U32, I64, U64 -> throw notFloats(type);
            };
        }
    }

    /** Appends numbers to {@code stored}, rounded to nearest, ties to even. */
    public static void narrow(StoredType type, float[] source, int at, int count, ByteBuffer stored) {
        stored.order(ByteOrder.LITTLE_ENDIAN);
        for (int i = at; i < at + count; i++) {
            switch (type) {
                case F32 -> stored.putFloat(source[i]);
                case BF16 -> stored.putShort(bfloat16(source[i]));
                case F16 -> stored.putShort(HalfFloat.fromFloat(source[i]));
                case F64 -> stored.putDouble(source[i]);
                case BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, I32, U32, I64, U64 -> throw notFloats(type);
            }
        }
    }

    private static short bfloat16(float value) {
        // rounding could carry a NaN into infinity
        return Float.isNaN(value) ? (short) (Float.floatToRawIntBits(value) >>> 16 | 0x40) : Bfloat16.round(value);
    }

    private static IllegalArgumentException notFloats(StoredType type) {
        return new BadInputException(
                "Cannot use %s as floating-point numbers: expected F64, F32, F16 or BF16".formatted(type));
    }
}
