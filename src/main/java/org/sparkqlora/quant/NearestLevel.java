package org.sparkqlora.quant;

/**
 * Finds the nearest of ascending levels: the number of midpoints between neighbours that {@code x} is strictly greater
 * than, so a tie goes to the lower level. Midpoints are {@code (a + b) / 2} in float32.
 *
 * <p>Instead of searching, the upper 15 bits of {@code x}, ordered as a number, name a cell; a table holds how many
 * midpoints lie in cells below, and at most the few midpoints inside the cell are left to compare. Cells are ordered as
 * the values are, so the result is exact.
 */
final class NearestLevel {
    private static final int CELL_BITS = 15;
    private static final int SHIFT = Float.SIZE - CELL_BITS;
    private static final int HALF = 1 << (CELL_BITS - 1);

    private final byte[] midpointsBelow = new byte[1 << CELL_BITS];
    private final float[] midpoints;

    NearestLevel(float[] ascending) {
        midpoints = new float[ascending.length];
        for (int i = 0; i + 1 < ascending.length; i++) {
            midpoints[i] = (ascending[i] + ascending[i + 1]) / 2f;
        }

        midpoints[ascending.length - 1] = Float.POSITIVE_INFINITY;
        fillTable(ascending.length - 1);
    }

    private void fillTable(int count) {
        int below = 0;
        for (int cell = 0; cell < midpointsBelow.length; cell++) {
            while (below < count && cell(midpoints[below]) < cell) {
                below++;
            }

            midpointsBelow[cell] = (byte) below;
        }
    }

    /** Index of the level nearest to {@code x}; the highest for NaN. */
    int index(float x) {
        int index = midpointsBelow[cell(x)] & 0xff;
        while (x > midpoints[index]) {
            index++;
        }

        return index;
    }

    private static int cell(float x) {
        int bits = Float.floatToRawIntBits(x + 0f); // -0 would lie in a cell below 0
        int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
        return (ordered >> SHIFT) + HALF;
    }
}
