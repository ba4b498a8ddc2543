package org.sparkqlora.weights.family;

/**
 * Sizes of layers that mix tokens by the gated delta rule.
 *
 * @param keyHeads heads of queries and keys, each for {@code valueHeads / keyHeads} heads of values
 * @param valueHeads heads of values, each with a state of its own
 * @param keySize width of a head of queries and keys
 * @param valueSize width of a head of values
 * @param kernel tokens that the convolution before it sees
 */
public record DeltaNetShape(int keyHeads, int valueHeads, int keySize, int valueSize, int kernel) {
    /** Width of all queries, and of all keys. */
    public int keyWidth() {
        return keyHeads * keySize;
    }

    /** Width of all values. */
    public int valueWidth() {
        return valueHeads * valueSize;
    }

    /** Width of queries, keys and values, which pass the convolution together. */
    public int channels() {
        return 2 * keyWidth() + valueWidth();
    }

    /** Numbers of a document's state: those of its heads, and the last inputs of the convolution. */
    public long stateSize() {
        return (long) valueHeads * keySize * valueSize + (kernel - 1L) * channels();
    }
}
