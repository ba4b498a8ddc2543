package org.sparkqlora.tensor;

/** The finaliser of SplitMix64 (Steele, Lea and Flood 2014): numbers that look random as a pure function of a key. */
public final class SplitMix {
    /** Distance of the keys of one stream. */
    public static final long STEP = 0x9E3779B97F4A7C15L;

    private SplitMix() {}

    /** A bijection that changes half of the bits when one bit of {@code key} changes. */
    public static long mix(long key) {
        long mixed = (key ^ key >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}
