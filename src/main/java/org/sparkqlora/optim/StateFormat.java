package org.sparkqlora.optim;

import java.nio.ByteBuffer;

/** How one state of one block is laid out in a page. Zero bytes are zeros in every format. */
sealed interface StateFormat permits Float32Format, EightBitFormat {
    /** Elements in a block, the last of a run perhaps excepted. */
    int BLOCK = 256;

    int byteSize(int count);

    /** Reads {@code count} values at the page's position and moves past them. */
    void decode(ByteBuffer page, float[] target, int at, int count);

    /** Writes {@code count} values at the page's position and moves past them. */
    void encode(float[] source, int from, int count, ByteBuffer page);

    /** The format of a state in 8 bits. */
    static StateFormat eightBit(StateRange range) {
        return switch (range) {
            case ANY -> EightBitFormat.SIGNED;
            case NOT_NEGATIVE -> EightBitFormat.UNSIGNED;
        };
    }
}
