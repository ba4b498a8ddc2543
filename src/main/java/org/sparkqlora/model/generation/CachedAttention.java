package org.sparkqlora.model.generation;

import static org.sparkqlora.model.generation.KeyValueRows.BLOCK;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.sparkqlora.tensor.RowMath;

/**
 * Attention of one token to the tokens before it and to itself, {@code o = sum(softmax(s q k) v)}, in float32. Nothing but the text
 * itself takes part, in an order that its length decides: the result does not depend on what passes together.
 *
 * @param size of a head
 * @param queries heads of queries that share a head of keys
 * @param scale s
 * @param window tokens that are seen, the last ones; empty for all
 * @param cap scores pass {@code cap tanh(score / cap)}; empty without one
 */
public record CachedAttention(int size, int queries, double scale, OptionalInt window, OptionalDouble cap) {
    /** The token's own query heads (queries size), key (size) and value (size). */
    public record Token(float[] query, float[] key, float[] value) {}

    /**
     * Keeps a token's key and value, and attends with its queries.
     *
     * @param kept of the tokens before
     * @param place of the token in its text
     * @param output gets (queries size)
     */
    public void attend(KeyValueRows.Head kept, int place, Token token, float[] output, RowMath math) {
        int first = window.isPresent() ? Math.max(0, place + 1 - window.getAsInt()) : 0;
        kept.put(place, token.value());
        float[][] probabilities = scores(kept, first, place, token, math);
        for (float[] row : probabilities) {
            normalize(row, first % BLOCK, place + 1 - first, math);
        }

        mix(kept, first, place, probabilities, output, math);
    }

    /** Products of each query with the keys of whole blocks, from that of token {@code first} on. */
    private float[][] scores(KeyValueRows.Head kept, int first, int place, Token token, RowMath math) {
        int firstBlock = first / BLOCK;
        int last = place / BLOCK;
        float[][] scores = new float[queries][(last - firstBlock + 1) * BLOCK];
        for (int block = firstBlock; block <= last; block++) {
            float[] keys = block == last ? kept.keysWith(place, token.key()) : kept.keys(block);
            for (int query = 0; query < queries; query++) {
                math.addRows(
                        token.query(), query * size, size, keys, BLOCK, scores[query], (block - firstBlock) * BLOCK);
            }
        }

        return scores;
    }

    /** The probabilities of {@code count} scores, which begin with the {@code from}th, at the start of the row. */
    private void normalize(float[] row, int from, int count, RowMath math) {
        System.arraycopy(row, from, row, 0, count);
        if (cap.isPresent()) {
            math.tanh((float) (scale / cap.getAsDouble()), row, row, count);
        }

        math.softmax(row, (float) cap.orElse(scale), count);
    }

    private void mix(
            KeyValueRows.Head kept, int first, int place, float[][] probabilities, float[] output, RowMath math) {
        Arrays.fill(output, 0);
        int from = first;
        while (from <= place) {
            int count = Math.min(BLOCK - from % BLOCK, place + 1 - from);
            float[] values = kept.values(from, count);
            for (int query = 0; query < queries; query++) {
                math.addRows(probabilities[query], from - first, count, values, size, output, query * size);
            }

            from += count;
        }
    }
}
