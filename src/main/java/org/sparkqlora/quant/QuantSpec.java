package org.sparkqlora.quant;

import java.io.Serializable;

/**
 * Quantisation of weights to 4 bits.
 *
 * @param code the sixteen levels
 * @param blockSize weights that share a scale: a power of two from 32 to 4096
 * @param doubleQuant whether the scales are themselves stored in 8 bits
 */
public record QuantSpec(FourBitCode code, int blockSize, boolean doubleQuant) implements Serializable {
    /** The QLoRA paper's quantisation: NF4 in blocks of 64, double quantisation, 4.127 bits a weight. */
    public static final QuantSpec DEFAULT = new QuantSpec(FourBitCode.NF4, 64, true);

    public QuantSpec {
        BlockSize.require(blockSize);
    }

    /** Bits that one weight takes on average, its share of the scales included. */
    public double bitsPerWeight() {
        double scaleBits = doubleQuant ? 8 + 32.0 / NestedScales.BLOCK_SIZE : 32;
        return 4 + scaleBits / blockSize;
    }
}
