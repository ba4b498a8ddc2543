package org.sparkqlora.quant;

import org.sparkqlora.input.BadInputException;

/** Which numbers of weights may share a scale. */
final class BlockSize {
    static final int SMALLEST = 32;
    static final int LARGEST = 4096;

    private BlockSize() {}

    static int require(int blockSize) {
        if (blockSize < SMALLEST || blockSize > LARGEST || Integer.bitCount(blockSize) != 1) {
            throw new BadInputException("Cannot quantise in blocks of %d: expected a power of two from %d to %d"
                    .formatted(blockSize, SMALLEST, LARGEST));
        }

        return blockSize;
    }

    /** Number of blocks that {@code elements} fill, the last one perhaps in part. */
    static int blocks(long elements, int blockSize) {
        return Math.toIntExact((elements + blockSize - 1) / blockSize);
    }
}
