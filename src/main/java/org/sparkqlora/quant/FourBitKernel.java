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

    /** The same in float32. */
    void toFloat(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, float[] target);

    /** The fastest implementation for this machine. */
    static FourBitKernel fastest() {
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        if (vectors && VectorFourBitKernel.isSupported()) {
            return new VectorFourBitKernel();
        }

        return new ScalarFourBitKernel();
    }
}
