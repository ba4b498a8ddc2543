package org.sparkqlora.model.generation;

import static org.sparkqlora.model.generation.KeyValueRows.BLOCK;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.elementwise.AttentionSinks;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.WeightedSums;

/**
 * Attention of one token to the tokens before it and to itself, {@code o = sum(softmax(s q k) v)}, in float32. Nothing but the text
 * itself takes part, in an order that its length decides: the result does not depend on what passes together.
 *
 * @param size of a head
 * @param queries heads of queries that share a head of keys
 * @param scale s
 * @param window tokens that are seen, the last ones; empty for all
 * @param cap scores pass {@code cap tanh(score / cap)}; empty without one
 * @param sinks logits that take a share; null without
 */
public record CachedAttention(
        int size,
        int queries,
        double scale,
        OptionalInt window,
        OptionalDouble cap,
        @Nullable AttentionSinks sinks) {
    /** Some heads of a token: queries (heads queries size), keys and values (heads size). */
    public record Token(float[] query, float[] key, float[] value) {}

    /**
     * Keeps a token's keys and values, and attends with its queries.
     *
     * @param kept of the tokens before
     * @param place of the token in its text
     * @param output gets (heads queries size)
     */
    public void attend(KeyValueRows.Heads kept, int place, Token token, float[] output, RowMath math) {
        kept.put(place, token.key(), token.value());
        attend(kept, place, token.query(), output, math);
    }

    /** Attends with the queries of a token whose keys and values are kept already. */
    public void attend(KeyValueRows.Heads kept, int place, float[] query, float[] output, RowMath math) {
        int first = window.isPresent() ? Math.max(0, place + 1 - window.getAsInt()) : 0;
        int columns = (place / BLOCK - first / BLOCK + 1) * BLOCK;
        int rows = kept.count() * queries;
        float[] scores = kept.scores(rows * columns);
        addScores(kept, first, place, query, scores, columns);
        float[] row = kept.row(columns);
        for (int i = 0; i < rows; i++) {
            int head = kept.first() * queries + i;
            normalize(scores, i * columns + first % BLOCK, row, place + 1 - first, head, math);
        }

        mix(kept, first, place, scores, columns, output);
    }

    /** Products of each query with the keys of whole blocks, from that of token {@code first} on. */
    private void addScores(KeyValueRows.Heads kept, int first, int place, float[] query, float[] scores, int columns) {
        kept.eachKeys(first / BLOCK, place / BLOCK, (block, head, keys, at) -> {
            int row = head * queries;
            int column = (block - first / BLOCK) * BLOCK;
            WeightedSums products =
                    new WeightedSums(query, row * size, size, scores, row * columns + column, columns, queries);
            keys.addRows(at, size, BLOCK, products);
        });
    }

    /** Makes probabilities of {@code count} scores. */
    private void normalize(float[] scores, int at, float[] row, int count, int head, RowMath math) {
        System.arraycopy(scores, at, row, 0, count);
        if (cap.isPresent()) {
            math.tanh((float) (scale / cap.getAsDouble()), row, row, count);
        }

        if (sinks == null) {
            math.softmax(row, (float) cap.orElse(scale), count);
        } else {
            math.softmax(row, (float) cap.orElse(scale), sinks.logit(head), count);
        }

        System.arraycopy(row, 0, scores, at, count);
    }

    private void mix(
            KeyValueRows.Heads kept, int first, int place, float[] probabilities, int columns, float[] output) {
        Arrays.fill(output, 0, kept.count() * queries * size, 0);
        kept.eachValues(first / BLOCK, place / BLOCK, (block, head, values, at) -> {
            int from = Math.max(first, block * BLOCK);
            int to = Math.min(place + 1, (block + 1) * BLOCK);
            int row = head * queries;
            int weight = row * columns + from - first / BLOCK * BLOCK;
            WeightedSums sums = new WeightedSums(probabilities, weight, columns, output, row * size, size, queries);
            values.addRows(at + from % BLOCK * size, to - from, size, sums);
        });
    }
}
