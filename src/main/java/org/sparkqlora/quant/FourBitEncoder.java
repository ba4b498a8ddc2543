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
}
