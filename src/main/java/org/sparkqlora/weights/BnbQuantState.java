package org.sparkqlora.weights;

import java.util.Arrays;
import java.util.Optional;
import org.sparkqlora.quant.FourBitCode;

/**
 * The quantisation state that bitsandbytes stores beside the bytes of a 4-bit weight.
 *
 * @param code the sixteen values
 * @param blockSize weights that share a scale
 * @param originalType PyTorch's name of the type the weight had
 * @param shape the weight's shape
 * @param nesting how the scales themselves are quantised, if they are
 */
record BnbQuantState(FourBitCode code, int blockSize, String originalType, long[] shape, Optional<Nesting> nesting) {
    BnbQuantState {
        shape = shape.clone();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Number of blocks, and so of scales. */
    long blocks() {
        return (elements() + blockSize - 1) / blockSize;
    }

    /**
     * Second quantisation.
     *
     * @param blockSize scales that share a scale
     * @param offset mean of the scales, taken off before
     */
    record Nesting(int blockSize, float offset) {}
}
