package org.sparkqlora.quant;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.sparkqlora.input.OptionChoice;

/** A 4-bit code: sixteen levels in [-1, 1], indexed by their bit patterns. The numbers are those of bitsandbytes. */
public enum FourBitCode implements OptionChoice {
    /** Quantiles of the standard normal distribution, scaled to [-1, 1], with an exact zero (QLoRA, arXiv:2305.14314). */
    NF4(
            -1.0f,
            -0.6961928009986877f,
            -0.5250730514526367f,
            -0.39491748809814453f,
            -0.28444138169288635f,
            -0.18477343022823334f,
            -0.09105003625154495f,
            0.0f,
            0.07958029955625534f,
            0.16093020141124725f,
            0.24611230194568634f,
            0.33791524171829224f,
            0.44070982933044434f,
            0.5626170039176941f,
            0.7229568362236023f,
            1.0f),

    /** A float of one sign, two exponent bits and one fraction bit, with one subnormal, divided by its largest value. */
    FP4(
            0.0f,
            0.0052083334885537624f,
            0.6666666865348816f,
            1.0f,
            0.3333333432674408f,
            0.5f,
            0.1666666716337204f,
            0.25f,
            0.0f,
            -0.0052083334885537624f,
            -0.6666666865348816f,
            -1.0f,
            -0.3333333432674408f,
            -0.5f,
            -0.1666666716337204f,
            -0.25f);

    /** Levels of a 4-bit code. */
    public static final int LEVELS = 16;

    private final float[] levels;
    private final byte[] codeOfRank;
    private final NearestLevel nearest;

    FourBitCode(float... levels) {
        this.levels = levels;
        int[] ranked = IntStream.range(0, LEVELS)
                .boxed()
                .sorted(Comparator.comparing(code -> levels[code]))
                .mapToInt(Integer::intValue)
                .toArray();
        float[] ascending = new float[LEVELS];
        codeOfRank = new byte[LEVELS];
        for (int rank = 0; rank < LEVELS; rank++) {
            codeOfRank[rank] = (byte) ranked[rank];
            ascending[rank] = levels[ranked[rank]];
        }

        nearest = new NearestLevel(ascending);
    }

    /** The code called {@code name} in an option or a quantisation state: {@code nf4} or {@code fp4}. */
    public static FourBitCode parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot use 4-bit code '%s': expected nf4 or fp4");
    }

    /** The level of every code. */
    public float[] levels() {
        return levels.clone();
    }

    /**
     * Code of the level nearest to {@code x}, a tie going to the lower level. The two zeros of FP4 have their midpoint at
     * zero, so there a code also tells on which side of zero {@code x} was.
     */
    int nearest(float x) {
        return codeOfRank[nearest.index(x)];
    }

    /** Midpoints between neighbouring levels, ascending. */
    float[] midpoints() {
        float[] midpoints = new float[LEVELS - 1];
        for (int rank = 0; rank + 1 < LEVELS; rank++) {
            midpoints[rank] = (levels[codeOfRank[rank]] + levels[codeOfRank[rank + 1]]) / 2f;
        }

        return midpoints;
    }

    /** The codes in the order of their levels. */
    int[] codesInOrder() {
        int[] codes = new int[LEVELS];
        for (int rank = 0; rank < LEVELS; rank++) {
            codes[rank] = codeOfRank[rank];
        }

        return codes;
    }
}
