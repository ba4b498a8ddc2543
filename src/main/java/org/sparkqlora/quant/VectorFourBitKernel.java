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
            ShortVector table = rounded(unscaled.mul(absmax[block]));
            int end = Math.min(vectorBytes, from + bytesPerBlock);
            for (int i = from; i < end; i += LANES) {
                table.rearrange(codes(codePairs(packed, i)).toShuffle()).intoArray(target, 2 * i);
            }
        }

        for (int i = vectorBytes; i < bytes; i++) {
            float scale = absmax[i / bytesPerBlock];
            target[2 * i] = Bfloat16.round(levels[(packed[i] >> 4) & 0xf] * scale);
            target[2 * i + 1] = Bfloat16.round(levels[packed[i] & 0xf] * scale);
        }
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
                IntVector pairs = codePairs(packed, i);
                values(pairs.rearrange(FIRST_BYTES_TWICE), table).intoArray(target, 2 * i);
                values(pairs.rearrange(LAST_BYTES_TWICE), table).intoArray(target, 2 * i + LANES);
            }
        }

        for (int i = vectorBytes; i < bytes; i++) {
            float scale = absmax[i / bytesPerBlock];
            target[2 * i] = levels[(packed[i] >> 4) & 0xf] * scale;
            target[2 * i + 1] = levels[packed[i] & 0xf] * scale;
        }
    }

    /** {@link Bfloat16#round} of all values, in the lower half of the lanes. */
    private static ShortVector rounded(FloatVector values) {
        IntVector bits = values.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, Short.SIZE).and(1);
        IntVector upper = bits.add(Short.MAX_VALUE).add(odd).lanewise(VectorOperators.LSHR, Short.SIZE);
        return (ShortVector) upper.convertShape(VectorOperators.I2S, SHORTS, 0);
    }

    /** Sixteen bytes, one a lane. */
    private static IntVector codePairs(byte[] packed, int at) {
        ByteVector bytes = ByteVector.fromArray(BYTES, packed, at);
        return ((IntVector) bytes.convertShape(VectorOperators.B2I, INTS, 0)).and(0xff);
    }

    /** Both codes of every byte: the earlier element, from the byte's high half, is the low half of an int. */
    private static ShortVector codes(IntVector pairs) {
        IntVector earlier = pairs.lanewise(VectorOperators.LSHR, 4);
        IntVector later = pairs.and(0xf).lanewise(VectorOperators.LSHL, Short.SIZE);
        return earlier.or(later).reinterpretAsShorts();
    }

    private static FloatVector values(IntVector bytesTwice, IntVector table) {
        IntVector codes = bytesTwice.lanewise(VectorOperators.LSHR, HALF_SHIFTS).and(0xf);
        return table.rearrange(codes.toShuffle()).reinterpretAsFloats();
    }
}
