package org.sparkqlora.quant;

import org.sparkqlora.input.BadInputException;

/**
 * Scales quantised once more (QLoRA's double quantisation): {@code scale[i] = map[codes[i]] * absmax[i / blockSize] +
 * offset}, in float32 without fused operations. Source: bitsandbytes {@code functional.py}, {@code dequantize_4bit}.
 *
 * @param codes an unsigned byte a scale
 * @param map the level of every byte
 * @param absmax the largest absolute value of every block of scales, after the offset was taken away
 * @param blockSize scales that share an entry of {@code absmax}
 * @param offset the mean of the scales
 */
public record NestedScales(byte[] codes, float[] map, float[] absmax, int blockSize, float offset)
        implements BlockScales {
    /** Scales in a block, as bitsandbytes writes them. */
    public static final int BLOCK_SIZE = 256;

    public NestedScales {
        if (blockSize < 1) {
            throw new BadInputException("Cannot nest scales in blocks of %d".formatted(blockSize));
        }

        requireLength(map, EightBitCodec.LEVELS, "levels");
        requireLength(absmax, BlockSize.blocks(codes.length, blockSize), "nested scales");
        Finite.require(new float[] {offset}, "nested offset");
        codes = codes.clone();
        map = Finite.require(map, "nested map").clone();
        absmax = Finite.require(absmax, "nested absmax").clone();
    }

    @Override
    public byte[] codes() {
        return codes.clone();
    }

    @Override
    public float[] map() {
        return map.clone();
    }

    @Override
    public float[] absmax() {
        return absmax.clone();
    }

    @Override
    public int count() {
        return codes.length;
    }

    @Override
    public void read(int fromBlock, int count, float[] target) {
        int done = 0;
        while (done < count) {
            int first = fromBlock + done;
            float scale = absmax[first / blockSize];
            int end = Math.min(count, done + blockSize - first % blockSize);
            for (; done < end; done++) {
                target[done] = map[codes[fromBlock + done] & 0xff] * scale + offset;
            }
        }
    }

    @Override
    public long byteSize() {
        return codes.length + (long) Float.BYTES * (map.length + absmax.length + 1);
    }

    private static void requireLength(float[] values, int expected, String what) {
        if (values.length != expected) {
            throw new BadInputException(
                    "Cannot nest scales: expected %d %s, found %d".formatted(expected, what, values.length));
        }
    }
}
