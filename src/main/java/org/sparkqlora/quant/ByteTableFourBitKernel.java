package org.sparkqlora.quant;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Looks sixteen codes up at a time with registers of 256 bits: one table has the upper bytes of a block's sixteen values, another
 * the lower bytes. For float32 it calls {@link Scalar}. Loaded only where the module {@code jdk.incubator.vector} is.
 *
 * <p>Its loop calls no methods of ours on vectors, as that of {@link VectorFourBitKernel}.
 */
final class ByteTableFourBitKernel implements FourBitKernel {
    private static final VectorSpecies<Byte> EIGHT_BYTES = ByteVector.SPECIES_64;
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_256;
    private static final VectorSpecies<Short> EIGHT = ShortVector.SPECIES_128;
    private static final VectorSpecies<Short> SIXTEEN = ShortVector.SPECIES_256;
    private static final int STEP = EIGHT_BYTES.length();

    private final FourBitKernel scalar = new Scalar();

    /** Whether a register is as wide as sixteen values in bfloat16. */
    static boolean isSupported() {
        return ShortVector.SPECIES_PREFERRED.length() >= FourBitCode.LEVELS;
    }

    @Override
    public void toBfloat16(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, short[] target) {
        byte[] upperBytes = new byte[FourBitCode.LEVELS];
        byte[] lowerBytes = new byte[FourBitCode.LEVELS];
        int whole = bytes - bytes % STEP;
        int bytesPerBlock = blockSize / 2;
        for (int from = 0, block = 0; from < whole; from += bytesPerBlock, block++) {
            for (int code = 0; code < FourBitCode.LEVELS; code += FLOATS.length()) {
                IntVector bits = FloatVector.fromArray(FLOATS, levels, code)
                        .mul(absmax[block])
                        .reinterpretAsInts();
                IntVector odd = bits.lanewise(VectorOperators.LSHR, Short.SIZE).and(1);
                IntVector value = bits.add(Short.MAX_VALUE).add(odd).lanewise(VectorOperators.LSHR, Short.SIZE);
                ((ByteVector) value.convertShape(VectorOperators.I2B, EIGHT_BYTES, 0)).intoArray(lowerBytes, code);
                ((ByteVector) value.lanewise(VectorOperators.LSHR, Byte.SIZE)
                                .convertShape(VectorOperators.I2B, EIGHT_BYTES, 0))
                        .intoArray(upperBytes, code);
            }

            ByteVector upper = ByteVector.fromArray(BYTES, upperBytes, 0);
            ByteVector lower = ByteVector.fromArray(BYTES, lowerBytes, 0);
            int end = Math.min(whole, from + bytesPerBlock);
            for (int i = from; i < end; i += STEP) {
                ShortVector pairs = (ShortVector)
                        ByteVector.fromArray(EIGHT_BYTES, packed, i).convertShape(VectorOperators.B2S, EIGHT, 0);
                // of a short the lower byte is the earlier element, from its byte's upper half
                ShortVector later = pairs.and((short) 0xf).lanewise(VectorOperators.LSHL, Byte.SIZE);
                ShortVector codes =
                        pairs.lanewise(VectorOperators.LSHR, 4).and((short) 0xf).or(later);
                VectorShuffle<Byte> places = codes.reinterpretAsBytes().toShuffle();
                ShortVector high = (ShortVector) upper.rearrange(places).convertShape(VectorOperators.B2S, SIXTEEN, 0);
                ShortVector low = (ShortVector) lower.rearrange(places).convertShape(VectorOperators.B2S, SIXTEEN, 0);
                high.lanewise(VectorOperators.LSHL, Byte.SIZE)
                        .or(low.and((short) 0xff))
                        .intoArray(target, 2 * i);
            }
        }

        Scalar.restToBfloat16(packed, whole, bytes, levels, absmax, blockSize, target);
    }

    @Override
    public void toFloat(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, float[] target) {
        scalar.toFloat(packed, bytes, levels, absmax, blockSize, target);
    }
}
