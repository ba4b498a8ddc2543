package org.sparkqlora.quant;

/** Looks every code up in a table of its block's sixteen values. */
final class ScalarFourBitKernel implements FourBitKernel {
    @Override
    public void toBfloat16(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, short[] target) {
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
