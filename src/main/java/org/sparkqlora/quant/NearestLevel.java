package org.sparkqlora.quant;

import org.sparkqlora.input.BadInputException;

/**
 * Finds the nearest of ascending levels: the number of midpoints between neighbours that {@code x} is strictly greater
 * than, so a tie goes to the lower level. Midpoints are {@code (a + b) / 2} in float32.
 *
 * <p>Instead of searching, the upper half of {@code x}, ordered as a number, names a cell; a table holds how many
 * midpoints lie in cells below, and the lower half of the one midpoint that a cell may hold. Cells are ordered as
 * the values are, so the result is exact. There is no branch: which way one would go is as random as the values.
 */
final class NearestLevel {
    /** From an ordered place to its cell, before {@link #HALF} is added. */
    static final int SHIFT = Short.SIZE;

    static final int HALF = 1 << (Short.SIZE - 1);

    /** The lower half of a number. */
    static final int LOWER = (1 << SHIFT) - 1;

    /** A number of midpoints, and in the lower half where the cell's own one lies; {@link #LOWER}, above which nothing is, without. */
    private final int[] cells = new int[1 << Short.SIZE];

    /** Throws IllegalArgumentException where two midpoints differ in their lower halves only. */
    NearestLevel(float[] ascending) {
        int below = 0;
        int count = ascending.length - 1;
        for (int cell = 0; cell < cells.length; cell++) {
            int before = below;
            int own = LOWER;
            while (below < count && cell(midpoint(ascending, below)) == cell) {
                own = midpoint(ascending, below) & LOWER;
                below++;
            }

            if (below > before + 1) {
                throw new BadInputException("Cannot tell levels %d to %d apart: expected steps of more than 1/128"
                        .formatted(before, below));
            }

            cells[cell] = before << SHIFT | own;
        }
    }

    /** Index of the level nearest to {@code x}; the highest for NaN. */
    int index(float x) {
        int place = ordered(x);
        int found = cells[cell(place)];
        return (found >>> SHIFT)
                + (((found & LOWER) - (place & LOWER)) >>> (Integer.SIZE - 1)); // 1 where place is greater
    }

    /** For each cell how many midpoints lie in cells below, and in the lower half the lower half of its own one. */
    int[] cells() {
        return cells.clone();
    }

    private static int midpoint(float[] ascending, int at) {
        return ordered((ascending[at] + ascending[at + 1]) / 2f);
    }

    private static int cell(int ordered) {
        return (ordered >> SHIFT) + HALF;
    }

    /** A number that is ordered as {@code x} is. */
    private static int ordered(float x) {
        int bits = Float.floatToRawIntBits(x + 0f); // -0 would lie below 0
        return bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    }
}
