package org.sparkqlora.train;

import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tensor.SplitMix;

/**
 * The order in which an endless stream of epochs visits the rows, as a pure function: no list of rows is ever held.
 *
 * <p>Position p lies in epoch p / rows. Within an epoch a Feistel network of four rounds, keyed by seed and epoch, permutes
 * the smallest domain of 4^k numbers that holds all rows; numbers past the last row walk on along their cycle until they
 * meet a row. At most three of four numbers are past it, so the walk is short.
 */
final class EpochOrder {
    private static final int ROUNDS = 4;

    private EpochOrder() {}

    /** The row at {@code position} if every epoch is shuffled anew. */
    public static long shuffled(long seed, long position, long rows) {
        requireInStream(position, rows);
        int halfBits = halfBits(rows);
        long key = SplitMix.mix(seed + SplitMix.STEP * (position / rows + 1));
        long row = position % rows;
        do {
            row = permute(row, halfBits, key);
        } while (row >= rows);

        return row;
    }

    /** The row at {@code position} if every epoch visits the rows in file order. */
    public static long inFileOrder(long position, long rows) {
        requireInStream(position, rows);
        return position % rows;
    }

    private static void requireInStream(long position, long rows) {
        if (rows < 1 || position < 0) {
            throw new BadInputException(
                    "Cannot find the row at position %d of %d rows: expected a position from 0 and at least 1 row"
                            .formatted(position, rows));
        }
    }

    private static int halfBits(long rows) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(rows - 1);
        return Math.max(1, (bits + 1) / 2);
    }

    /** A bijection of the numbers below 4^halfBits. */
    private static long permute(long number, int halfBits, long key) {
        long mask = (1L << halfBits) - 1;
        long left = number >>> halfBits;
        long right = number & mask;
        for (int round = 0; round < ROUNDS; round++) {
            long mixed = left ^ (SplitMix.mix(key + SplitMix.STEP * (round + 1) + right) & mask);
            left = right;
            right = mixed;
        }

        return left << halfBits | right;
    }
}
