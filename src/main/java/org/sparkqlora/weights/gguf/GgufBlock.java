package org.sparkqlora.weights.gguf;

import java.nio.ByteBuffer;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.weights.safetensors.HalfFloat;

/**
 * Turns one block into numbers, in float32 and in ggml's order of operations, so that the result is equal bit for bit. Most
 * types are {@code scale * code + minimum}; the K types share two float16 scales among 6- and 8-bit scales of sub-blocks.
 */
final class GgufBlock {
    private static final int LOW = 0x0f;
    private static final int SUB_BLOCK = 32;

    private GgufBlock() {}

    /** Reads the block that begins at byte {@code at} of {@code bytes}, which is little endian. */
    static void read(GgufType type, ByteBuffer bytes, int at, float[] target) {
        switch (type) {
            case F32 -> target[0] = bytes.getFloat(at);
            case F16 -> target[0] = half(bytes, at);
            case BF16 -> target[0] = Bfloat16.widen(bytes.getShort(at));
            case Q4_0 -> readQ4(bytes, at, target);
            case Q4_1 -> readQ4WithMinimum(bytes, at, target);
            case Q5_0 -> readQ5(bytes, at, target);
            case Q5_1 -> readQ5WithMinimum(bytes, at, target);
            case Q8_0 -> readQ8(bytes, at, target);
            case Q2_K -> readQ2K(bytes, at, target);
            case Q3_K -> readQ3K(bytes, at, target);
            case Q4_K -> readQ4K(bytes, at, target);
            case Q5_K -> readQ5K(bytes, at, target);
            case Q6_K -> readQ6K(bytes, at, target);
        }
    }

    private static float half(ByteBuffer bytes, int at) {
        return HalfFloat.toFloat(bytes.getShort(at));
    }

    /** float16 scale; 16 bytes, the first half of the codes in their low bits, the second in their high bits. */
    private static void readQ4(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        for (int i = 0; i < 16; i++) {
            int pair = bytes.get(at + 2 + i);
            target[i] = scale * ((pair & LOW) - 8);
            target[i + 16] = scale * ((pair >> 4 & LOW) - 8);
        }
    }

    /** As Q4_0, with a float16 minimum after the scale. */
    private static void readQ4WithMinimum(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        float minimum = half(bytes, at + 2);
        for (int i = 0; i < 16; i++) {
            int pair = bytes.get(at + 4 + i);
            target[i] = scale * (pair & LOW) + minimum;
            target[i + 16] = scale * (pair >> 4 & LOW) + minimum;
        }
    }

    /** As Q4_0, with 32 fifth bits before the codes. */
    private static void readQ5(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        for (int i = 0; i < SUB_BLOCK; i++) {
            target[i] = scale * (fiveBits(bytes, at + 2, i) - 16);
        }
    }

    /** As Q4_1, with 32 fifth bits before the codes. */
    private static void readQ5WithMinimum(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        float minimum = half(bytes, at + 2);
        for (int i = 0; i < SUB_BLOCK; i++) {
            target[i] = scale * fiveBits(bytes, at + 4, i) + minimum;
        }
    }

    /** Code {@code i} of 32 bits that hold the fifth bits and the 16 bytes of low bits behind them. */
    private static int fiveBits(ByteBuffer bytes, int at, int i) {
        int low = bytes.get(at + 4 + i % 16) >> i / 16 * 4 & LOW;
        return low | (bytes.getInt(at) >>> i & 1) << 4;
    }

    /** float16 scale and 32 signed bytes. */
    private static void readQ8(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        for (int i = 0; i < 32; i++) {
            target[i] = scale * bytes.get(at + 2 + i);
        }
    }

    /** 16 bytes, each the 4-bit scale and minimum of 16 codes; 64 bytes of codes; two float16 scales. */
    private static void readQ2K(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at + 80);
        float minimumScale = half(bytes, at + 82);
        for (int i = 0; i < target.length; i++) {
            int scales = bytes.get(at + i / 16);
            float step = scale * (scales & LOW);
            float minimum = minimumScale * (scales >> 4 & LOW);
            target[i] = step * twoBits(bytes, at + 16, i) - minimum;
        }
    }

    /** 32 bytes of third bits, which are 1 where nothing is taken off; 64 bytes of codes; 12 bytes of 6-bit scales; a float16 scale. */
    private static void readQ3K(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at + 108);
        for (int i = 0; i < target.length; i++) {
            int third = bytes.get(at + i % SUB_BLOCK) >> i / SUB_BLOCK & 1;
            float step = scale * (signedScale(bytes, at + 96, i / 16) - 32);
            target[i] = step * (twoBits(bytes, at + 32, i) - (1 - third) * 4);
        }
    }

    /** Code {@code i} of 64 bytes: each 32 bytes hold 128 codes, first those of the lowest bits. */
    private static int twoBits(ByteBuffer bytes, int at, int i) {
        return bytes.get(at + i / 128 * SUB_BLOCK + i % SUB_BLOCK) >> i / SUB_BLOCK % 4 * 2 & 3;
    }

    /** Scale {@code sub} of 16: its low 4 bits in 8 bytes, its high 2 bits in the 4 behind them. */
    private static int signedScale(ByteBuffer bytes, int at, int sub) {
        int low = bytes.get(at + sub % 8) >> sub / 8 * 4 & LOW;
        return low | (bytes.get(at + 8 + sub % 4) >> sub / 4 * 2 & 3) << 4;
    }

    /** Two float16 scales, 12 bytes of 6-bit scales and minimums of 8 sub-blocks, 128 bytes of codes. */
    private static void readQ4K(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        float minimumScale = half(bytes, at + 2);
        for (int sub = 0; sub < 8; sub++) {
            float step = scale * sixBits(bytes, at + 4, sub, 0);
            float minimum = minimumScale * sixBits(bytes, at + 4, sub, 1);
            int codes = at + 16 + sub / 2 * SUB_BLOCK;
            int shift = sub % 2 * 4;
            for (int i = 0; i < SUB_BLOCK; i++) {
                target[sub * SUB_BLOCK + i] = step * (bytes.get(codes + i) >> shift & LOW) - minimum;
            }
        }
    }

    /** As Q4_K, with 32 bytes of fifth bits, one bit a sub-block, before the codes. */
    private static void readQ5K(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at);
        float minimumScale = half(bytes, at + 2);
        for (int sub = 0; sub < 8; sub++) {
            float step = scale * sixBits(bytes, at + 4, sub, 0);
            float minimum = minimumScale * sixBits(bytes, at + 4, sub, 1);
            int codes = at + 48 + sub / 2 * SUB_BLOCK;
            int shift = sub % 2 * 4;
            for (int i = 0; i < SUB_BLOCK; i++) {
                int code = bytes.get(codes + i) >> shift & LOW | (bytes.get(at + 16 + i) >> sub & 1) << 4;
                target[sub * SUB_BLOCK + i] = step * code - minimum;
            }
        }
    }

    /**
     * The 6-bit scale ({@code kind} 0) or minimum (1) of a sub-block. The first four have a byte each; of the last four the low
     * bits share the last bytes, and the high bits are the spare bits of the first four.
     */
    static int sixBits(ByteBuffer bytes, int at, int sub, int kind) {
        int first = bytes.get(at + kind * 4 + sub % 4) & 0xff;
        if (sub < 4) {
            return first & 0x3f;
        }

        int low = bytes.get(at + 8 + sub % 4) >> kind * 4 & LOW;
        return low | first >> 2 & 0x30;
    }

    /** 128 bytes of low 4 bits, 64 bytes of high 2 bits, 16 signed scales, a float16 scale. */
    private static void readQ6K(ByteBuffer bytes, int at, float[] target) {
        float scale = half(bytes, at + 208);
        for (int sub = 0; sub < 8; sub++) {
            int low = at + sub / 4 * 64 + sub % 2 * SUB_BLOCK;
            int lowShift = sub % 4 / 2 * 4;
            int high = at + 128 + sub / 4 * SUB_BLOCK;
            int highShift = sub % 4 * 2;
            for (int i = 0; i < SUB_BLOCK; i++) {
                int code = bytes.get(low + i) >> lowShift & LOW | (bytes.get(high + i) >> highShift & 3) << 4;
                float step = scale * bytes.get(at + 192 + (sub * SUB_BLOCK + i) / 16);
                target[sub * SUB_BLOCK + i] = step * (code - 32);
            }
        }
    }
}
