package org.sparkqlora.quant;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The vector twin of {@link BlockArithmetic}. Loaded only where the module {@code jdk.incubator.vector} is. */
final class VectorBlocks {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;

    private VectorBlocks() {}

    /** {@link BlockArithmetic#absmax}. */
    static float absmax(float[] values, int from, int count) {
        int whole = count - count % FLOATS.length();
        IntVector largest = IntVector.zero(INTS);
        for (int i = from; i < from + whole; i += FLOATS.length()) {
            IntVector bits = FloatVector.fromArray(FLOATS, values, i).reinterpretAsInts();
            largest = largest.max(bits.and(Integer.MAX_VALUE));
        }

        float rest = BlockArithmetic.absmax(values, from + whole, count - whole);
        // bit patterns of positive floats are ordered as the floats, with NaN above infinity
        int found = Math.max(largest.reduceLanes(VectorOperators.MAX), Float.floatToRawIntBits(rest));
        return Float.intBitsToFloat(found);
    }
}
