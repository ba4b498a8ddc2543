package org.sparkqlora.quant;

/**
 * Finds the nearest of ascending levels: the number of midpoints between neighbours that {@code x} is strictly greater
 * than, so a tie goes to the lower level. Midpoints are {@code (a + b) / 2} in float32.
 *
 * <p>Instead of searching, the upper 15 bits of {@code x}, ordered as a number, name a cell; a table holds how many
 * midpoints lie in cells below, and the few midpoints that a cell may hold are left to compare. Cells are ordered as
 * the values are, so the result is exact. There is no branch: which way one would go is as random as the values.
 */
final class NearestLevel {
    private static final int CELL_BITS = 15;
    /** From an ordered place to its cell, before {@link #HALF} is added. */
    static final int SHIFT = Float.SIZE - CELL_BITS;

    static final int HALF = 1 << (CELL_BITS - 1);

    private final byte[] midpointsBelow = new byte[1 << CELL_BITS];
    private final int[] midpoints; // ordered, and one above all numbers
    private final int mostInACell;

    NearestLevel(float[] ascending) {
        midpoints = new int[ascending.length];
        for (int i = 0; i + 1 < ascending.length; i++) {
            midpoints[i] = ordered((ascending[i] + ascending[i + 1]) / 2f);
        }

        midpoints[ascending.length - 1] = Integer.MAX_VALUE;
        mostInACell = fillTable(ascending.length - 1);
    }

    /** Tells how many midpoints the fullest cell has. */
    private int fillTable(int count) {
        int below = 0;
        int most = 0;
        for (int cell = 0; cell < midpointsBelow.length; cell++) {
            int before = below;
            while (below < count && cell(midpoints[below]) < cell) {
                below++;
            }

            most = Math.max(most, below - before);
            midpointsBelow[cell] = (byte) below;
        }

        return most;
    }

    /** Index of the level nearest to {@code x}; the highest for NaN. */
    int index(float x) {
        int place = ordered(x);
        int index = midpointsBelow[cell(place)] & 0xff;
        for (int i = 0; i < mostInACell; i++) {
            index += (int) (((long) midpoints[index] - place) >>> (Long.SIZE - 1)); // 1 where place is greater
        }

        return index;
    }

    /** For each cell, how many midpoints lie in cells below. */
    int[] midpointsBelowCells() {
        int[] below = new int[midpointsBelow.length];
        for (int cell = 0; cell < below.length; cell++) {
            below[cell] = midpointsBelow[cell] & 0xff;
        }

        return below;
    }

    /** The midpoints as ordered numbers, and one above all. */
    int[] orderedMidpoints() {
        return midpoints.clone();
    }

    /** How many midpoints the fullest cell has. */
    int mostInACell() {
        return mostInACell;
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
