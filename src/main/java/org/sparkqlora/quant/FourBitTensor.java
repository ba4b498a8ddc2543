package org.sparkqlora.quant;

import java.nio.ByteBuffer;
import org.sparkqlora.input.BadInputException;

/**
 * A tensor in 4-bit codes, flattened in row-major order: element {@code 2i} is the high half of byte {@code i}, element
 * {@code 2i + 1} the low half. Blocks run over the flattened tensor and so straddle rows.
 */
public final class FourBitTensor {
    private final FourBitCode code;
    private final int blockSize;
    private final long elements;
    private final ByteBuffer packed;
    private final BlockScales scales;

    /**
     * @param elements number of weights; when odd, the last byte's low half is padding
     * @param packed the codes from the buffer's position to its limit; may be mapped, and is only read
     */
    public FourBitTensor(FourBitCode code, int blockSize, long elements, ByteBuffer packed, BlockScales scales) {
        this.code = code;
        this.blockSize = BlockSize.require(blockSize);
        this.elements = elements;
        this.packed = packed.slice().asReadOnlyBuffer();
        this.scales = scales;
        requireSize("bytes of codes", (elements + 1) / 2, this.packed.limit());
        requireSize("scales", BlockSize.blocks(elements, blockSize), scales.count());
    }

    private void requireSize(String what, long expected, long found) {
        if (found != expected) {
            throw new BadInputException("Cannot hold %d weights in blocks of %d: expected %d %s, found %d"
                    .formatted(elements, blockSize, expected, what, found));
        }
    }

    /** The value of every code before it is scaled. */
    public float[] levels() {
        return code.levels();
    }

    public int blockSize() {
        return blockSize;
    }

    public long elements() {
        return elements;
    }

    /** The codes, read-only, with a position of its own. */
    public ByteBuffer packed() {
        return packed.duplicate();
    }

    public BlockScales scales() {
        return scales;
    }

    /** Bytes that codes and scales take. */
    public long byteSize() {
        return packed.limit() + scales.byteSize();
    }
}
