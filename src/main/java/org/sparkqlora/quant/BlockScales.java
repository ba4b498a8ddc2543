package org.sparkqlora.quant;

/** The largest absolute value of every block of a tensor. */
public sealed interface BlockScales permits PlainScales, NestedScales {
    /** Number of blocks. */
    int count();

    /** Writes the scales of the {@code count} blocks from {@code fromBlock} on to the start of {@code target}. */
    void read(int fromBlock, int count, float[] target);

    /** Bytes that the scales take. */
    long byteSize();
}
