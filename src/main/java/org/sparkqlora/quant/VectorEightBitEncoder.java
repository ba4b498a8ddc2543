package org.sparkqlora.quant;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link NearestLevel} for sixteen values at a time: its table and midpoints are gathered. */
final class VectorEightBitEncoder implements EightBitEncoder {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final int LANES = FLOATS.length();
    private static final int SIGN = Integer.SIZE - 1;

    /** Below the place of all levels, and near enough that the difference to a midpoint fits an int. */
    private static final int LOWEST_PLACE = -0x40000000;

    private final ScalarEightBitEncoder scalar;
    private final int[] below; // midpoints below each cell
    private final int[] midpoints; // ordered
    private final int mostInACell;

    VectorEightBitEncoder(NearestLevel nearest) {
        this.scalar = new ScalarEightBitEncoder(nearest);
        this.below = nearest.midpointsBelowCells();
        this.midpoints = nearest.orderedMidpoints();
        this.mostInACell = nearest.mostInACell();
    }

    /** Whether registers hold sixteen values. */
    static boolean isSupported() {
        return VectorFourBitKernel.isSupported();
    }

    @Override
    public float absmax(float[] values, int from, int count) {
        return VectorBlocks.absmax(values, from, count);
    }

    @Override
    public void encode(float[] values, int from, int count, float inverse, byte[] codes, int at) {
        int whole = count - count % LANES;
        int[] places = new int[LANES];
        for (int i = 0; i < whole; i += LANES) {
            FloatVector scaled = FloatVector.fromArray(FLOATS, values, from + i).mul(inverse);
            IntVector place = ordered(scaled).max(LOWEST_PLACE);
            IntVector index = gathered(below, cells(place), places);
            for (int round = 0; round < mostInACell; round++) {
                IntVector midpoint = gathered(midpoints, index, places);
                index = index.add(midpoint.sub(place).lanewise(VectorOperators.LSHR, SIGN));
            }

            ((ByteVector) index.convertShape(VectorOperators.I2B, BYTES, 0)).intoArray(codes, at + i);
        }

        if (whole < count) {
            scalar.encode(values, from + whole, count - whole, inverse, codes, at + whole);
        }
    }

    private static IntVector ordered(FloatVector values) {
        IntVector bits = values.add(0f).reinterpretAsInts(); // -0 would lie below 0
        return bits.lanewise(
                VectorOperators.XOR, bits.lanewise(VectorOperators.ASHR, SIGN).and(Integer.MAX_VALUE));
    }

    private static IntVector cells(IntVector place) {
        return place.lanewise(VectorOperators.ASHR, NearestLevel.SHIFT).add(NearestLevel.HALF);
    }

    /** @param places room for the indices, which are gathered by from memory */
    private static IntVector gathered(int[] table, IntVector indices, int[] places) {
        indices.intoArray(places, 0);
        return IntVector.fromArray(INTS, table, 0, places, 0);
    }
}
