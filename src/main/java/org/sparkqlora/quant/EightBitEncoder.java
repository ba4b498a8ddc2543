package org.sparkqlora.quant;

/** Finds the 8-bit codes of a block's values. Every implementation gives the same bits. */
interface EightBitEncoder {
    /** Largest absolute value of {@code values[from..from+count-1]}; NaN when one of them is NaN. */
    float absmax(float[] values, int from, int count);

    /** Writes the codes nearest to {@code values[from..from+count-1] * inverse} to {@code codes[at..]}. */
    void encode(float[] values, int from, int count, float inverse, byte[] codes, int at);

    /** The fastest implementation for this machine. */
    static EightBitEncoder fastest(NearestLevel nearest) {
        if (VectorApi.isUsed() && VectorEightBitEncoder.isSupported()) {
            return new VectorEightBitEncoder(nearest);
        }

        return new ScalarEightBitEncoder(nearest);
    }

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
}
