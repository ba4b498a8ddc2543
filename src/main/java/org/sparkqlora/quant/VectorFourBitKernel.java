package org.sparkqlora.quant;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Looks sixteen codes up at a time: the table of a block fills one 512-bit register. Loaded only where the module
 * {@code jdk.incubator.vector} is.
 *
 * <p>Its loops call no methods of ours on vectors: where a caller has grown large, the compiler calls those instead of inlining
 * them, and then every vector is an object; a loop was seven times slower.
 */
final class VectorFourBitKernel implements FourBitKernel {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
    private static final int LANES = INTS.length();

    /** Every byte twice, to take its high half in even and its low half in odd lanes. */
    private static final VectorShuffle<Integer> FIRST_BYTES_TWICE = INTS.shuffleFromOp(lane -> lane / 2);

    private static final VectorShuffle<Integer> LAST_BYTES_TWICE = INTS.shuffleFromOp(lane -> LANES / 2 + lane / 2);
    private static final IntVector HALF_SHIFTS =
            IntVector.fromArray(INTS, new int[] {4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0}, 0);

    /** Whether registers are wide enough for a table of sixteen values. */
    static boolean isSupported() {
        return FloatVector.SPECIES_PREFERRED.length() >= FourBitCode.LEVELS;
    }

    @Override
    public void toBfloat16(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, short[] target) {
        FloatVector unscaled = FloatVector.fromArray(FLOATS, levels, 0);
        int vectorBytes = bytes - bytes % LANES;
        int bytesPerBlock = blockSize / 2;
        for (int from = 0, block = 0; from < vectorBytes; from += bytesPerBlock, block++) {
            IntVector bits = unscaled.mul(absmax[block]).reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, Short.SIZE).and(1);
            IntVector upper = bits.add(Short.MAX_VALUE).add(odd).lanewise(VectorOperators.LSHR, Short.SIZE);
            ShortVector table = (ShortVector) upper.convertShape(VectorOperators.I2S, SHORTS, 0);
            int end = Math.min(vectorBytes, from + bytesPerBlock);
            for (int i = from; i < end; i += LANES) {
                ByteVector sixteen = ByteVector.fromArray(BYTES, packed, i);
                IntVector pairs = (IntVector) sixteen.convertShape(VectorOperators.B2I, INTS, 0);
                // of an int the lower half is the earlier element, from its byte's upper half
                IntVector later = pairs.and(0xf).lanewise(VectorOperators.LSHL, Short.SIZE);
                IntVector codes =
                        pairs.lanewise(VectorOperators.LSHR, 4).and(0xf).or(later);
                table.rearrange(codes.reinterpretAsShorts().toShuffle()).intoArray(target, 2 * i);
            }
        }

        Scalar.restToBfloat16(packed, vectorBytes, bytes, levels, absmax, blockSize, target);
    }

    @Override
    public void toFloat(byte[] packed, int bytes, float[] levels, float[] absmax, int blockSize, float[] target) {
        FloatVector unscaled = FloatVector.fromArray(FLOATS, levels, 0);
        int vectorBytes = bytes - bytes % LANES;
        int bytesPerBlock = blockSize / 2;
        for (int from = 0, block = 0; from < vectorBytes; from += bytesPerBlock, block++) {
            IntVector table = unscaled.mul(absmax[block]).reinterpretAsInts();
            int end = Math.min(vectorBytes, from + bytesPerBlock);
            for (int i = from; i < end; i += LANES) {
                ByteVector sixteen = ByteVector.fromArray(BYTES, packed, i);
                IntVector pairs = (IntVector) sixteen.convertShape(VectorOperators.B2I, INTS, 0);
                IntVector first = pairs.rearrange(FIRST_BYTES_TWICE)
                        .lanewise(VectorOperators.LSHR, HALF_SHIFTS)
                        .and(0xf);
                IntVector last = pairs.rearrange(LAST_BYTES_TWICE)
                        .lanewise(VectorOperators.LSHR, HALF_SHIFTS)
                        .and(0xf);
                table.rearrange(first.toShuffle()).reinterpretAsFloats().intoArray(target, 2 * i);
                table.rearrange(last.toShuffle()).reinterpretAsFloats().intoArray(target, 2 * i + LANES);
            }
        }

        for (int i = vectorBytes; i < bytes; i++) {
            float scale = absmax[i / bytesPerBlock];
            target[2 * i] = levels[(packed[i] >> 4) & 0xf] * scale;
            target[2 * i + 1] = levels[packed[i] & 0xf] * scale;
        }
    }
}
