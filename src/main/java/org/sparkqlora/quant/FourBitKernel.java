package org.sparkqlora.quant;

/**
 * Turns codes back into numbers: {@code levels[code] * absmax} in float32, for bfloat16 rounded to nearest even. Every
 * implementation gives the same bits.
 */
interface FourBitKernel {
    /**
     * Expands whole and partial blocks, the first starting at {@code packed[0]}.
     *
     * @param bytes number of bytes, two codes each
     * @param absmax the scale of each of these blocks
     * @param target takes {@code 2 * bytes} values
     */
    void toBfloat16(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, short[] target);

    /** As {@link #toBfloat16}, in float32. */
    void toFloat(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, float[] target);

    /** The fastest implementation for this machine. */
    static FourBitKernel fastest() {
        if (VectorApi.isUsed() && VectorFourBitKernel.isSupported()) {
            return new VectorFourBitKernel();
        }

        return VectorApi.isUsed() && ByteTableFourBitKernel.isSupported() ? new ByteTableFourBitKernel() : new Scalar();
    }

    /** Looks every code up in a table of its block's sixteen values. */
    static final class Scalar implements FourBitKernel {
        @Override
        public void toBfloat16(
                byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, short[] target) {
            short[] table = new short[FourBitCode.LEVELS];
            int bytesPerBlock = blockSize / 2;
            for (int from = 0, block = 0; from < bytes; from += bytesPerBlock, block++) {
                for (int code = 0; code < table.length; code++) {
                    table[code] = Bfloat16.round(levels[code] * absmax[block]);
                }

                int end = Math.min(bytes, from + bytesPerBlock);
                for (int i = from; i < end; i++) {
                    target[2 * i] = table[(packed[i] >> 4) & 0xf];
                    target[2 * i + 1] = table[packed[i] & 0xf];
                }
            }
        }

        /** Expands the bytes from {@code from} on, too few for a register. */
        static void restToBfloat16(
                byte[] packed, int from, int bytes, float[] levels, float[] absmax, int blockSize, short[] target) {
            for (int i = from; i < bytes; i++) {
                float scale = absmax[2 * i / blockSize];
                target[2 * i] = Bfloat16.round(levels[(packed[i] >> 4) & 0xf] * scale);
                target[2 * i + 1] = Bfloat16.round(levels[packed[i] & 0xf] * scale);
            }
        }

        @Override
        public void toFloat(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, float[] target) {
            float[] table = new float[FourBitCode.LEVELS];
            int bytesPerBlock = blockSize / 2;
            for (int from = 0, block = 0; from < bytes; from += bytesPerBlock, block++) {
                for (int code = 0; code < table.length; code++) {
                    table[code] = levels[code] * absmax[block];
                }

                int end = Math.min(bytes, from + bytesPerBlock);
                for (int i = from; i < end; i++) {
                    target[2 * i] = table[(packed[i] >> 4) & 0xf];
                    target[2 * i + 1] = table[packed[i] & 0xf];
                }
            }
        }
    }
}
