package org.sparkqlora.quant;

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
