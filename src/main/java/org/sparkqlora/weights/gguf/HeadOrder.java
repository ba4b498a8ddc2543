package org.sparkqlora.weights.gguf;

import java.util.function.LongUnaryOperator;
import org.sparkqlora.weights.family.DeltaNetShape;

/** Orders of heads and of their rows that differ between Hugging Face and GGUF: which row there each row here is. */
final class HeadOrder {
    private HeadOrder() {}

    /** GGUF's rows of a head, whose halves are interleaved: ggml's first way of rotation turns neighbours. */
    static LongUnaryOperator interleaved(int headSize) {
        return row -> row - row % headSize + row % headSize % 2 * (headSize / 2) + row % headSize / 2;
    }

    /** Hugging Face's rows of a head, whose halves follow one another. */
    static LongUnaryOperator apart(int headSize) {
        int half = headSize / 2;
        return row -> row - row % headSize + row % headSize % half * 2 + row % headSize / half;
    }

    /** GGUF's heads of values: the first of each key head, then the second of each. */
    static LongUnaryOperator tiled(DeltaNetShape shape) {
        int shared = shape.valueHeads() / shape.keyHeads();
        return head -> head % shape.keyHeads() * shared + head / shape.keyHeads();
    }

    /** Hugging Face's heads of values: those of the first key head, then those of the second. */
    static LongUnaryOperator grouped(DeltaNetShape shape) {
        int shared = shape.valueHeads() / shape.keyHeads();
        return head -> head % shared * shape.keyHeads() + head / shared;
    }

    /** Heads of {@code size} rows each, in the order of {@code heads}, behind {@code first} rows that stay. */
    static LongUnaryOperator rows(LongUnaryOperator heads, int first, int size) {
        return row -> row < first ? row : first + heads.applyAsLong((row - first) / size) * size + (row - first) % size;
    }

    /** Heads within lines of {@code count} heads each. */
    static LongUnaryOperator lines(LongUnaryOperator heads, int count) {
        return head -> head - head % count + heads.applyAsLong(head % count);
    }
}
