package org.sparkqlora.tensor.cuda;

/** What a generation of cards can do. */
public record ComputeCapability(int major, int minor) {
    /** The oldest that CUDA 13 compiles for. */
    public static final ComputeCapability OLDEST = new ComputeCapability(7, 5);

    /** As the compiler calls it, such as {@code sm_90}. */
    public String architecture() {
        return "sm_%d%d".formatted(major, minor);
    }

    public boolean isAtLeast(ComputeCapability other) {
        return major > other.major || (major == other.major && minor >= other.minor);
    }

    /** Whether products in bfloat16 are done by the card's matrix units. */
    public boolean hasBfloat16() {
        return major >= 8;
    }

    @Override
    public String toString() {
        return "%d.%d".formatted(major, minor);
    }
}
