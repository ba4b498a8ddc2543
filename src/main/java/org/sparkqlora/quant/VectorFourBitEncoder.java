package org.sparkqlora.quant;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sixteen values at a time: counts the midpoints between levels that a value is greater than, which is where the difference of the
 * two is negative, and looks the code up in a register. Three midpoints say in which quarter of the fifteen a value lies; only the three
 * within that quarter are looked at then.
 *
 * <p>Its loop calls no methods of ours on vectors, and makes a shuffle for each use: the compiler made objects of both.
 */
final class VectorFourBitEncoder implements FourBitEncoder {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_64;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final int LANES = FLOATS.length();
    private static final int SIGN = Integer.SIZE - 1;
    private static final int QUARTER = FourBitCode.LEVELS / 4;

    private final FourBitEncoder.ScalarFourBitEncoder scalar;
    private final float[] midpoints;
    private final int[] first; // bits of the first midpoint within each quarter
    private final int[] second;
    private final int[] third;
    private final int[] codes; // by the number of midpoints below
    private final boolean ascending; // codes are those numbers themselves

    VectorFourBitEncoder(FourBitCode code) {
        this.scalar = new FourBitEncoder.ScalarFourBitEncoder(code);
        this.midpoints = code.midpoints();
        this.first = withinQuarters(midpoints, 0);
        this.second = withinQuarters(midpoints, 1);
        this.third = withinQuarters(midpoints, 2);
        this.codes = code.codesInOrder();
        this.ascending = code == FourBitCode.NF4;
    }

    /** Whether registers are wide enough for a table of sixteen codes. */
    static boolean isSupported() {
        return VectorFourBitKernel.isSupported();
    }

    private static int[] withinQuarters(float[] midpoints, int at) {
        int[] bits = new int[LANES];
        for (int quarter = 0; quarter < FourBitCode.LEVELS / QUARTER; quarter++) {
            bits[quarter] = Float.floatToRawIntBits(midpoints[quarter * QUARTER + at]);
        }

        return bits;
    }

    @Override
    public float absmax(float[] values, int from, int count) {
        return VectorBlocks.absmax(values, from, count);
    }

    @Override
    public void encode(float[] values, int from, int count, float inverse, byte[] packed, int at) {
        FloatVector endOfFirst = FloatVector.broadcast(FLOATS, midpoints[QUARTER - 1]);
        FloatVector endOfSecond = FloatVector.broadcast(FLOATS, midpoints[2 * QUARTER - 1]);
        FloatVector endOfThird = FloatVector.broadcast(FLOATS, midpoints[3 * QUARTER - 1]);
        IntVector firsts = IntVector.fromArray(INTS, first, 0);
        IntVector seconds = IntVector.fromArray(INTS, second, 0);
        IntVector thirds = IntVector.fromArray(INTS, third, 0);
        IntVector inOrder = IntVector.fromArray(INTS, codes, 0);
        int whole = count - count % LANES;
        for (int i = 0; i < whole; i += LANES) {
            FloatVector scaled = FloatVector.fromArray(FLOATS, values, from + i).mul(inverse);
            IntVector over1 = endOfFirst.sub(scaled).reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN);
            IntVector over2 = endOfSecond.sub(scaled).reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN);
            IntVector over3 = endOfThird.sub(scaled).reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN);
            IntVector quarter = over1.add(over2).add(over3);
            FloatVector midpoint1 = firsts.rearrange(quarter.toShuffle()).reinterpretAsFloats();
            FloatVector midpoint2 = seconds.rearrange(quarter.toShuffle()).reinterpretAsFloats();
            FloatVector midpoint3 = thirds.rearrange(quarter.toShuffle()).reinterpretAsFloats();
            IntVector within1 = midpoint1.sub(scaled).reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN);
            IntVector within2 = midpoint2.sub(scaled).reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN);
            IntVector within3 = midpoint3.sub(scaled).reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN);
            IntVector within = within1.add(within2).add(within3);
            IntVector below = quarter.lanewise(VectorOperators.LSHL, 2).add(within); // QUARTER is 4
            IntVector found = ascending ? below : inOrder.rearrange(below.toShuffle());
            // the byte of each two codes
            LongVector twos = found.reinterpretAsLongs();
            LongVector bytes =
                    twos.lanewise(VectorOperators.LSHL, 4).or(twos.lanewise(VectorOperators.LSHR, Integer.SIZE));
            ((ByteVector) bytes.convertShape(VectorOperators.L2B, BYTES, 0)).intoArray(packed, at + i / 2);
        }

        if (whole < count) {
            scalar.encode(values, from + whole, count - whole, inverse, packed, at + whole / 2);
        }
    }
}
