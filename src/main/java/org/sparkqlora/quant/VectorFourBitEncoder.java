package org.sparkqlora.quant;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sixteen values at a time: counts the midpoints between levels that a value is greater than, which is where the difference of the
 * two is negative, and looks the code up in a register.
 */
final class VectorFourBitEncoder implements FourBitEncoder {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_64;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final int LANES = FLOATS.length();
    private static final int SIGN = Integer.SIZE - 1;

    private final ScalarFourBitEncoder scalar;
    private final float[] midpoints;
    private final int[] codes; // by the number of midpoints below
    private final boolean ascending; // codes are those numbers themselves

    VectorFourBitEncoder(FourBitCode code) {
        this.scalar = new ScalarFourBitEncoder(code);
        this.midpoints = code.midpoints();
        this.codes = code.codesInOrder();
        this.ascending = code == FourBitCode.NF4;
    }

    /** Whether registers are wide enough for a table of sixteen codes. */
    static boolean isSupported() {
        return VectorFourBitKernel.isSupported();
    }

    @Override
    public float absmax(float[] values, int from, int count) {
        return VectorBlocks.absmax(values, from, count);
    }

    @Override
    public void encode(float[] values, int from, int count, float inverse, byte[] packed, int at) {
        int whole = count - count % LANES;
        for (int i = 0; i < whole; i += LANES) {
            FloatVector scaled = FloatVector.fromArray(FLOATS, values, from + i).mul(inverse);
            pairs(codes(below(scaled))).intoArray(packed, at + i / 2);
        }

        if (whole < count) {
            scalar.encode(values, from + whole, count - whole, inverse, packed, at + whole / 2);
        }
    }

    private IntVector below(FloatVector scaled) {
        IntVector below = IntVector.zero(INTS);
        for (float midpoint : midpoints) {
            FloatVector difference = FloatVector.broadcast(FLOATS, midpoint).sub(scaled);
            below = below.add(difference.reinterpretAsInts().lanewise(VectorOperators.LSHR, SIGN));
        }

        return below;
    }

    private IntVector codes(IntVector below) {
        return ascending ? below : IntVector.fromArray(INTS, codes, 0).rearrange(below.toShuffle());
    }

    /** The byte of each two codes. */
    private static ByteVector pairs(IntVector codes) {
        LongVector twos = codes.reinterpretAsLongs();
        LongVector bytes = twos.lanewise(VectorOperators.LSHL, 4).or(twos.lanewise(VectorOperators.LSHR, Integer.SIZE));
        return (ByteVector) bytes.convertShape(VectorOperators.L2B, BYTES, 0);
    }
}
