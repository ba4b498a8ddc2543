package org.sparkqlora.quant;

/** Looks for each value's level by itself. */
record ScalarEightBitEncoder(NearestLevel nearest) implements EightBitEncoder {
    @Override
    public float absmax(float[] values, int from, int count) {
        return BlockArithmetic.absmax(values, from, count);
    }

    @Override
    public void encode(float[] values, int from, int count, float inverse, byte[] codes, int at) {
        for (int i = 0; i < count; i++) {
            codes[at + i] = (byte) nearest.index(values[from + i] * inverse);
        }
    }
}
