package org.sparkqlora.tensor.cuda;

import java.io.Serializable;
import java.util.Comparator;
import java.util.Locale;

/** The compute capability of a generation of cards; ordered by age, the oldest first. */
public record ComputeCapability(int major, int minor) implements Comparable<ComputeCapability>, Serializable {
    /** The oldest that CUDA 13 compiles for. */
    public static final ComputeCapability OLDEST = new ComputeCapability(7, 5);

    /** The first whose matrix units multiply bfloat16. */
    public static final ComputeCapability FIRST_WITH_BFLOAT16 = new ComputeCapability(8, 0);

    /** As the compiler calls it, such as {@code sm_90}. */
    public String architecture() {
        return String.format(Locale.ROOT, "sm_%d%d", major, minor);
    }

    public boolean isAtLeast(ComputeCapability other) {
        return compareTo(other) >= 0;
    }

    /** Whether products in bfloat16 are done by the card's matrix units. */
    public boolean hasBfloat16() {
        return isAtLeast(FIRST_WITH_BFLOAT16);
    }

    @Override
    public int compareTo(ComputeCapability other) {
        return Comparator.comparingInt(ComputeCapability::major)
                .thenComparingInt(ComputeCapability::minor)
                .compare(this, other);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%d.%d", major, minor);
    }
}
