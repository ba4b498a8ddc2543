package org.sparkqlora.quant;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link NearestLevel} for all values of a register at a time: its table is gathered. The loop calls no methods of ours on vectors, see
 * {@link VectorFourBitKernel}.
 */
final class VectorEightBitEncoder implements EightBitEncoder {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    /** Below eight no vector has as many bytes. */
    private static final int LEAST_LANES = 8;

    private static final VectorSpecies<Byte> BYTES = LANES < LEAST_LANES
            ? ByteVector.SPECIES_64
            : VectorSpecies.of(byte.class, VectorShape.forBitSize(LANES * Byte.SIZE));
    private static final int SIGN = Integer.SIZE - 1;

    private final EightBitEncoder.ScalarEightBitEncoder scalar;
    private final int[] cells;

    VectorEightBitEncoder(NearestLevel nearest) {
        this.scalar = new EightBitEncoder.ScalarEightBitEncoder(nearest);
        this.cells = nearest.cells();
    }

    /** Whether registers hold eight values or sixteen. */
    static boolean isSupported() {
        return LANES >= LEAST_LANES;
    }

    @Override
    public float absmax(float[] values, int from, int count) {
        return VectorBlocks.absmax(values, from, count);
    }

    @Override
    public void encode(float[] values, int from, int count, float inverse, byte[] codes, int at) {
        int whole = count - count % LANES;
        int[] places = new int[LANES]; // a gather takes its indices from memory
        for (int i = 0; i < whole; i += LANES) {
            FloatVector scaled = FloatVector.fromArray(FLOATS, values, from + i).mul(inverse);
            IntVector bits = scaled.add(0f).reinterpretAsInts(); // -0 would lie below 0
            IntVector fall = bits.lanewise(VectorOperators.ASHR, SIGN).and(Integer.MAX_VALUE);
            IntVector place = bits.lanewise(VectorOperators.XOR, fall);
            place.lanewise(VectorOperators.ASHR, NearestLevel.SHIFT)
                    .add(NearestLevel.HALF)
                    .intoArray(places, 0);
            IntVector found = IntVector.fromArray(INTS, cells, 0, places, 0);
            IntVector isBelow = found.and(NearestLevel.LOWER)
                    .sub(place.and(NearestLevel.LOWER))
                    .lanewise(VectorOperators.LSHR, SIGN);
            IntVector index =
                    found.lanewise(VectorOperators.LSHR, NearestLevel.SHIFT).add(isBelow);
            ((ByteVector) index.convertShape(VectorOperators.I2B, BYTES, 0)).intoArray(codes, at + i);
        }

        if (whole < count) {
            scalar.encode(values, from + whole, count - whole, inverse, codes, at + whole);
        }
    }
}
