package org.sparkqlora.weights.gguf;

import java.nio.ByteBuffer;
import org.sparkqlora.weights.safetensors.HalfFloat;

/**
 * Blocks of 256 numbers whose sub-blocks have 6- or 8-bit scales under float16 scales of the whole. Scales are searched for as
 * ggml's reference quantisers do it: of some twenty candidates, the one with the least weighted squared error.
 */
final class GgufSuperBlockEncoder {
    private static final int SIZE = 256;
    private static final int SUB_BLOCK = 32;
    private static final int SUB_BLOCKS = SIZE / SUB_BLOCK;
    private static final int MOST_SCALE = 63;

    private final GgufScaleSearch search = new GgufScaleSearch();
    private final int[] codes = new int[SIZE];
    private final float[] scales = new float[SIZE / 16];
    private final float[] minimums = new float[SUB_BLOCKS];

    /** Two float16 scales, 12 bytes of scales and minimums, 128 bytes of 4-bit codes. */
    void writeQ4K(float[] values, int from, ByteBuffer bytes, int at) {
        encode(values, from, bytes, at, new GgufScaleSearch.Range(15, -1, 20));
        writeLowBits(bytes, at + 16);
    }

    /** As Q4_K, with 32 bytes of fifth bits before the codes. */
    void writeQ5K(float[] values, int from, ByteBuffer bytes, int at) {
        encode(values, from, bytes, at, new GgufScaleSearch.Range(31, -0.5f, 15));
        for (int i = 0; i < SUB_BLOCK; i++) {
            int fifth = 0;
            for (int sub = 0; sub < SUB_BLOCKS; sub++) {
                fifth |= codes[sub * SUB_BLOCK + i] >> 4 << sub;
            }

            bytes.put(at + 16 + i, (byte) fifth);
        }

        writeLowBits(bytes, at + 48);
    }

    /** 128 bytes of low bits, 64 of high bits, 16 signed scales, a float16 scale. */
    void writeQ6K(float[] values, int from, ByteBuffer bytes, int at) {
        float largest = 0;
        for (int sub = 0; sub < SIZE / 16; sub++) {
            scales[sub] = search.symmetric(values, from + sub * 16, 16, 32, codes, sub * 16);
            if (Math.abs(scales[sub]) > Math.abs(largest)) {
                largest = scales[sub];
            }
        }

        if (Math.abs(largest) < GgufScaleSearch.SMALLEST) {
            bytes.duplicate().position(at).put(new byte[GgufType.Q6_K.blockBytes()]);
            return;
        }

        float inverse = -128f / largest;
        GgufBlockEncoder.half(1 / inverse, bytes, at + 208);
        float whole = HalfFloat.toFloat(bytes.getShort(at + 208));
        for (int sub = 0; sub < SIZE / 16; sub++) {
            int scale = (byte) Math.min(127, GgufScaleSearch.nearest(inverse * scales[sub]));
            bytes.put(at + 192 + sub, (byte) scale);
            recode(values, from, sub, whole * scale);
        }

        writeSixBits(bytes, at);
    }

    private void recode(float[] values, int from, int sub, float step) {
        if (step == 0) {
            return;
        }

        for (int i = sub * 16; i < sub * 16 + 16; i++) {
            codes[i] = clamp(GgufScaleSearch.nearest(values[from + i] / step), -32, 31) + 32;
        }
    }

    private void writeSixBits(ByteBuffer bytes, int at) {
        for (int part = 0; part < 2; part++) {
            for (int i = 0; i < SUB_BLOCK; i++) {
                int first = part * 128 + i;
                int low = at + part * 64 + i;
                bytes.put(low, (byte) (codes[first] & 0x0f | (codes[first + 64] & 0x0f) << 4));
                bytes.put(low + 32, (byte) (codes[first + 32] & 0x0f | (codes[first + 96] & 0x0f) << 4));
                int high = codes[first] >> 4
                        | codes[first + 32] >> 4 << 2
                        | codes[first + 64] >> 4 << 4
                        | codes[first + 96] >> 4 << 6;
                bytes.put(at + 128 + part * SUB_BLOCK + i, (byte) high);
            }
        }
    }

    /** Finds scales, minimums and codes, and writes all but the codes. */
    private void encode(float[] values, int from, ByteBuffer bytes, int at, GgufScaleSearch.Range range) {
        float mostScale = 0;
        float mostMinimum = 0;
        for (int sub = 0; sub < SUB_BLOCKS; sub++) {
            search.withMinimum(values, from + sub * SUB_BLOCK, range, codes, sub * SUB_BLOCK);
            scales[sub] = search.scale();
            minimums[sub] = search.minimum();
            mostScale = Math.max(mostScale, scales[sub]);
            mostMinimum = Math.max(mostMinimum, minimums[sub]);
        }

        writeScales(bytes, at + 4, inverse(mostScale), inverse(mostMinimum));
        GgufBlockEncoder.half(mostScale / MOST_SCALE, bytes, at);
        GgufBlockEncoder.half(mostMinimum / MOST_SCALE, bytes, at + 2);
        float scale = HalfFloat.toFloat(bytes.getShort(at));
        float minimum = HalfFloat.toFloat(bytes.getShort(at + 2));
        for (int sub = 0; sub < SUB_BLOCKS; sub++) {
            float step = scale * GgufBlock.sixBits(bytes, at + 4, sub, 0);
            float least = minimum * GgufBlock.sixBits(bytes, at + 4, sub, 1);
            recode(values, from, sub, step, least, range.mostCode());
        }
    }

    private void recode(float[] values, int from, int sub, float step, float minimum, int mostCode) {
        if (step == 0) {
            return;
        }

        for (int i = sub * SUB_BLOCK; i < (sub + 1) * SUB_BLOCK; i++) {
            codes[i] = clamp(GgufScaleSearch.nearest((values[from + i] + minimum) / step), 0, mostCode);
        }
    }

    private static float inverse(float largest) {
        return largest > 0 ? MOST_SCALE / largest : 0;
    }

    /** The inverse of {@link GgufBlock#sixBits}. */
    private void writeScales(ByteBuffer bytes, int at, float inverseScale, float inverseMinimum) {
        int[] packed = new int[12];
        for (int sub = 0; sub < SUB_BLOCKS; sub++) {
            int scale = Math.min(MOST_SCALE, GgufScaleSearch.nearest(inverseScale * scales[sub]) & 0xff);
            int minimum = Math.min(MOST_SCALE, GgufScaleSearch.nearest(inverseMinimum * minimums[sub]) & 0xff);
            if (sub < 4) {
                packed[sub] = scale;
                packed[sub + 4] = minimum;
            } else {
                packed[sub + 4] = scale & 0x0f | (minimum & 0x0f) << 4;
                packed[sub - 4] |= scale >> 4 << 6;
                packed[sub] |= minimum >> 4 << 6;
            }
        }

        for (int i = 0; i < packed.length; i++) {
            bytes.put(at + i, (byte) packed[i]);
        }
    }

    /** The low four bits of two sub-blocks share 32 bytes. */
    private void writeLowBits(ByteBuffer bytes, int at) {
        for (int i = 0; i < SIZE / 2; i++) {
            int low = i / SUB_BLOCK * 2 * SUB_BLOCK + i % SUB_BLOCK;
            bytes.put(at + i, (byte) (codes[low] & 0x0f | (codes[low + SUB_BLOCK] & 0x0f) << 4));
        }
    }

    private static int clamp(int value, int least, int most) {
        return Math.max(least, Math.min(most, value));
    }
}
