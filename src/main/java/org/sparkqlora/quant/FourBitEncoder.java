package org.sparkqlora.quant;

/** Finds the codes of a block's values. Every implementation gives the same bits. */
interface FourBitEncoder {
    /** Largest absolute value of {@code values[from..from+count-1]}; NaN when one of them is NaN. */
    float absmax(float[] values, int from, int count);

    /**
     * Writes the codes nearest to {@code values[i] * inverse}, the earlier of two in the high half of a byte; the last byte of an odd
     * count is padded with the code of zero.
     *
     * @param values finite numbers
     * @param packed takes the codes of {@code values[from..from+count-1]} from its byte {@code at} on
     */
    void encode(float[] values, int from, int count, float inverse, byte[] packed, int at);

    /** The fastest implementation for this machine. */
    static FourBitEncoder fastest(FourBitCode code) {
        if (VectorApi.isUsed() && VectorFourBitEncoder.isSupported()) {
            return new VectorFourBitEncoder(code);
        }

        return new ScalarFourBitEncoder(code);
    }

    /** Looks for each value's level by itself. */
    record ScalarFourBitEncoder(FourBitCode code) implements FourBitEncoder {
        @Override
        public float absmax(float[] values, int from, int count) {
            return BlockArithmetic.absmax(values, from, count);
        }

        @Override
        public void encode(float[] values, int from, int count, float inverse, byte[] packed, int at) {
            int pairs = count / 2;
            for (int i = 0; i < pairs; i++) {
                int high = code.nearest(values[from + 2 * i] * inverse);
                int low = code.nearest(values[from + 2 * i + 1] * inverse);
                packed[at + i] = (byte) (high << 4 | low);
            }

            if (count % 2 == 1) {
                packed[at + pairs] = (byte) (code.nearest(values[from + count - 1] * inverse) << 4 | code.nearest(0f));
            }
        }
    }
}
