package org.sparkqlora.quant;

import java.nio.ByteBuffer;
import org.sparkqlora.input.BadInputException;

/**
 * Scales quantised once more (QLoRA's double quantisation): {@code scale[i] = map[codes[i]] * absmax[i / blockSize] +
 * offset}, in float32 without fused operations. Source: bitsandbytes {@code functional.py}, {@code dequantize_4bit}.
 *
 * @param codes an unsigned byte a scale, from the buffer's position to its limit; may be mapped, and is only read
 * @param map the level of every byte
 * @param absmax the largest absolute value of every block of scales, after the offset was taken away
 * @param blockSize scales that share an entry of {@code absmax}
 * @param offset the mean of the scales
 */
public record NestedScales(ByteBuffer codes, float[] map, float[] absmax, int blockSize, float offset)
        implements BlockScales {
    /** Scales in a block, as bitsandbytes writes them. */
    public static final int BLOCK_SIZE = 256;

    private static final EightBitCodec CODEC = new EightBitCodec(DynamicMap.signed());

    public NestedScales {
        if (blockSize < 1) {
            throw new BadInputException("Cannot nest scales in blocks of %d".formatted(blockSize));
        }

        requireLength(map, EightBitCodec.LEVELS, "levels");
        requireLength(absmax, BlockSize.blocks(codes.remaining(), blockSize), "nested scales");
        BlockArithmetic.requireFinite(new float[] {offset}, "nested offset");
        codes = codes.slice().asReadOnlyBuffer();
        map = BlockArithmetic.requireFinite(map, "nested map").clone();
        absmax = BlockArithmetic.requireFinite(absmax, "nested absmax").clone();
    }

    /** Scales with codes in an array, which is copied. */
    public NestedScales(byte[] codes, float[] map, float[] absmax, int blockSize, float offset) {
        this(ByteBuffer.wrap(codes.clone()), map, absmax, blockSize, offset);
    }

    /** The scales {@code absmax} of blocks of weights, quantised as bitsandbytes does. */
    static NestedScales quantized(float[] absmax) {
        float offset = mean(absmax);
        float[] centred = new float[absmax.length];
        for (int i = 0; i < absmax.length; i++) {
            centred[i] = absmax[i] - offset;
        }

        byte[] codes = new byte[absmax.length];
        float[] nestedAbsmax = new float[BlockSize.blocks(absmax.length, BLOCK_SIZE)];
        for (int block = 0; block < nestedAbsmax.length; block++) {
            int from = block * BLOCK_SIZE;
            int count = Math.min(BLOCK_SIZE, absmax.length - from);
            nestedAbsmax[block] = CODEC.quantizeBlock(centred, from, count, codes, from);
        }

        return new NestedScales(codes, DynamicMap.signed(), nestedAbsmax, BLOCK_SIZE, offset);
    }

    /** In float64 and in index order, so that it is the same number everywhere. */
    private static float mean(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }

        return values.length == 0 ? 0 : (float) (sum / values.length);
    }

    /** The codes, read-only, with a position of its own. */
    @Override
    public ByteBuffer codes() {
        return codes.duplicate();
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
        return codes.limit();
    }

    @Override
    public void read(int fromBlock, int count, float[] target) {
        byte[] read = new byte[count];
        codes.get(fromBlock, read);
        int done = 0;
        while (done < count) {
            int first = fromBlock + done;
            float scale = absmax[first / blockSize];
            int end = Math.min(count, done + blockSize - first % blockSize);
            for (; done < end; done++) {
                target[done] = map[read[done] & 0xff] * scale + offset;
            }
        }
    }

    @Override
    public long byteSize() {
        return codes.limit() + (long) Float.BYTES * (map.length + absmax.length + 1);
    }

    private static void requireLength(float[] values, int expected, String what) {
        if (values.length != expected) {
            throw new BadInputException(
                    "Cannot nest scales: expected %d %s, found %d".formatted(expected, what, values.length));
        }
    }
}
