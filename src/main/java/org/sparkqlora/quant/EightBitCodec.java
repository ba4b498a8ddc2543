package org.sparkqlora.quant;

import org.sparkqlora.input.BadInputException;

/**
 * Blockwise 8-bit quantisation with a map of 256 ascending levels in [-1, 1]: {@code code = nearest(x * (1 / max(absmax,
 * 1e-38)))}, back {@code map[code] * absmax}, all in float32. Source: bitsandbytes {@code quantize_blockwise}.
 */
public final class EightBitCodec {
    /** Levels of an 8-bit code. */
    public static final int LEVELS = 256;

    private final float[] map;
    private final EightBitEncoder encoder;

    public EightBitCodec(float[] map) {
        if (map.length != LEVELS) {
            throw new BadInputException("Cannot use a map of %d levels: expected 256".formatted(map.length));
        }

        this.map = map.clone();
        encoder = EightBitEncoder.fastest(new NearestLevel(this.map));
    }

    /** Writes the codes of one block, {@code values[from..from+count-1]}, to {@code codes[at..]}; returns its absmax. */
    public float quantizeBlock(float[] values, int from, int count, byte[] codes, int at) {
        float absmax = encoder.absmax(values, from, count);
        encoder.encode(values, from, count, BlockArithmetic.inverse(absmax), codes, at);
        return absmax;
    }

    /** Writes the values of {@code codes[from..from+count-1]}, all of one block, to {@code target[at..]}. */
    public void dequantizeBlock(byte[] codes, int from, int count, float absmax, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            target[at + i] = map[codes[from + i] & 0xff] * absmax;
        }
    }
}
