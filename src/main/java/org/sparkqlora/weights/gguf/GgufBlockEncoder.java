package org.sparkqlora.weights.gguf;

import java.nio.ByteBuffer;
import org.sparkqlora.weights.safetensors.HalfFloat;
import org.sparkqlora.weights.safetensors.StoredNumbers;
import org.sparkqlora.weights.safetensors.StoredType;

/**
 * Turns numbers into blocks, the inverse of {@link GgufBlock}, in float32 and in the order of operations of ggml's reference
 * quantisers, so that the bytes are equal. Blocks of 32 share one scale; the types of 256 are in {@link GgufSuperBlockEncoder}.
 * Not for use by several threads at once.
 */
final class GgufBlockEncoder {
    private static final int HALF = 16;

    private final GgufSuperBlockEncoder superBlocks = new GgufSuperBlockEncoder();

    /**
     * Writes the block of the numbers from {@code from} on at byte {@code at} of {@code bytes}.
     *
     * @param bytes little endian
     */
    void write(GgufType type, float[] values, int from, ByteBuffer bytes, int at) {
        switch (type) {
            case F32 -> bytes.putFloat(at, values[from]);
            case F16 -> narrow(StoredType.F16, values[from], bytes, at);
            case BF16 -> narrow(StoredType.BF16, values[from], bytes, at);
            case Q4_0 -> writeQ4(values, from, bytes, at);
            case Q5_0 -> writeQ5(values, from, bytes, at);
            case Q8_0 -> writeQ8(values, from, bytes, at);
            case Q4_K -> superBlocks.writeQ4K(values, from, bytes, at);
            case Q5_K -> superBlocks.writeQ5K(values, from, bytes, at);
            case Q6_K -> superBlocks.writeQ6K(values, from, bytes, at);
            case Q4_1, Q5_1, Q2_K, Q3_K ->
                throw new IllegalStateException("Cannot write blocks of %s: no file is made of them".formatted(type));
        }
    }

    private static void narrow(StoredType type, float value, ByteBuffer bytes, int at) {
        StoredNumbers.narrow(type, new float[] {value}, 0, 1, bytes.duplicate().position(at));
    }

    static void half(float value, ByteBuffer bytes, int at) {
        bytes.putShort(at, HalfFloat.fromFloat(value));
    }

    /** Codes of 0 to 15, of which 8 is zero: the number of the largest magnitude gets 0. */
    private static void writeQ4(float[] values, int from, ByteBuffer bytes, int at) {
        float scale = largest(values, from) / -8;
        float inverse = scale == 0 ? 0 : 1 / scale;
        half(scale, bytes, at);
        for (int i = 0; i < HALF; i++) {
            int low = code(values[from + i] * inverse, 8, 15);
            int high = code(values[from + HALF + i] * inverse, 8, 15);
            bytes.put(at + 2 + i, (byte) (low | high << 4));
        }
    }

    /** As Q4_0 with a fifth bit. */
    private static void writeQ5(float[] values, int from, ByteBuffer bytes, int at) {
        float scale = largest(values, from) / -16;
        float inverse = scale == 0 ? 0 : 1 / scale;
        half(scale, bytes, at);
        int fifth = 0;
        for (int i = 0; i < HALF; i++) {
            int low = code(values[from + i] * inverse, 16, 31);
            int high = code(values[from + HALF + i] * inverse, 16, 31);
            bytes.put(at + 6 + i, (byte) (low & 0x0f | (high & 0x0f) << 4));
            fifth |= low >> 4 << i | high >> 4 << i + HALF;
        }

        bytes.putInt(at + 2, fifth);
    }

    private static void writeQ8(float[] values, int from, ByteBuffer bytes, int at) {
        float scale = Math.abs(largest(values, from)) / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        half(scale, bytes, at);
        for (int i = 0; i < 32; i++) {
            bytes.put(at + 2 + i, (byte) halvesAwayFromZero(values[from + i] * inverse));
        }
    }

    /** Of a block of 32, the first number of the largest magnitude. */
    private static float largest(float[] values, int from) {
        float largest = 0;
        for (int i = from; i < from + 32; i++) {
            if (Math.abs(values[i]) > Math.abs(largest)) {
                largest = values[i];
            }
        }

        return largest;
    }

    private static int code(float steps, int zero, int most) {
        return Math.min(most, (int) (steps + (zero + 0.5f)));
    }

    private static int halvesAwayFromZero(float value) {
        int magnitude = Math.round(Math.abs(value));
        return value < 0 ? -magnitude : magnitude;
    }
}
