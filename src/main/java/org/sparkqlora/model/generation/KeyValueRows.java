package org.sparkqlora.model.generation;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.FetchedNumbers;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * Keys and values of one text in one layer, outside the heap, in blocks of {@value #BLOCK} tokens, in a block head by head. Of a head
 * keys lie dimension by dimension, so that the products of a query with all keys of the block are sums of rows; values lie token by
 * token.
 */
public final class KeyValueRows implements AutoCloseable {
    /** Tokens of a block. */
    static final int BLOCK = 64;

    /** Numbers that are fetched at a time: more than one page of memory, and less than the second cache. */
    private static final int FETCHED = 1 << 16;

    private final int heads;
    private final int size;
    private final int blocks;
    private final RowMath math;
    private final Tensor keys;
    private final Tensor values;
    private final FetchedNumbers keyNumbers;
    private final FetchedNumbers valueNumbers;

    /**
     * @param heads of keys
     * @param size of a head
     * @param tokens that the text has at most
     */
    public KeyValueRows(ScalarType type, int heads, int size, int tokens, RowMath math) {
        this.heads = heads;
        this.size = size;
        this.blocks = blocksOf(tokens);
        this.math = math;
        this.keys = TensorScope.detached(() -> TensorMemory.empty(type, (long) blocks * heads * size * BLOCK));
        this.values = TensorScope.detached(() -> TensorMemory.empty(type, (long) blocks * heads * size * BLOCK));
        this.keyNumbers = FetchedNumbers.of(keys, math);
        this.valueNumbers = FetchedNumbers.of(values, math);
    }

    /** Numbers that a text of {@code tokens} takes in a layer whose keys have {@code width} numbers a token. */
    public static long numbers(int tokens, int width) {
        return 2L * width * blocksOf(tokens) * BLOCK;
    }

    private static int blocksOf(int tokens) {
        return (tokens + BLOCK - 1) / BLOCK;
    }

    /**
     * Keeps {@code count} tokens from place {@code place} of the text on.
     *
     * @param allKeys a row a token, all heads one after the other; the first token is row {@code start}
     */
    public void fill(TensorRows allKeys, TensorRows allValues, long start, int place, int count) {
        float[] key = new float[heads * size];
        float[] value = new float[heads * size];
        for (int i = 0; i < count; i++) {
            allKeys.load(start + i, key);
            allValues.load(start + i, value);
            put(0, heads, place + i, key, value);
        }
    }

    private void put(int first, int count, int place, float[] key, float[] value) {
        int column = place % BLOCK;
        for (int head = 0; head < count; head++) {
            long matrix = start(place / BLOCK, first + head);
            keyNumbers.put(matrix + column, BLOCK, key, head * size, size);
            valueNumbers.put(matrix + (long) column * size, 1, value, head * size, size);
        }
    }

    private long start(int block, int head) {
        return ((long) block * heads + head) * size * BLOCK;
    }

    /** Those of a text of at most {@code tokens} that has the first {@code count} in common with this one. */
    public KeyValueRows beginning(int count, int tokens) {
        KeyValueRows text = new KeyValueRows(keys.scalar_type(), heads, size, tokens, math);
        long numbers = (long) blocksOf(count) * heads * size * BLOCK;
        text.keys.narrow(0, 0, numbers).copy_(keys.narrow(0, 0, numbers));
        text.values.narrow(0, 0, numbers).copy_(values.narrow(0, 0, numbers));
        return text;
    }

    /** Keys of the first {@code count} tokens, (count, heads, size). */
    public Tensor keys(int count) {
        return keys.view(blocks, heads, size, BLOCK)
                .narrow(0, 0, blocksOf(count))
                .permute(0, 3, 1, 2)
                .reshape(-1, heads, size)
                .narrow(0, 0, count);
    }

    /** Values of the first {@code count} tokens, (count, heads, size). */
    public Tensor values(int count) {
        return values.view(blocks, heads, BLOCK, size)
                .narrow(0, 0, blocksOf(count))
                .permute(0, 2, 1, 3)
                .reshape(-1, heads, size)
                .narrow(0, 0, count);
    }

    /** What a thread needs to attend to texts, one after the other: what it fetches, and the scores of a token. */
    public static final class Room {
        private final FetchedNumbers.Room fetched;
        private float[] scores = {};
        private float[] row = {};

        /** Room for texts whose layers have so many heads of keys of this size. */
        public Room(ScalarType type, int heads, int size) {
            this.fetched = FetchedNumbers.Room.of(type, Math.max(FETCHED, heads * size * BLOCK));
        }

        private float[] scores(int count) {
            if (scores.length < count) {
                scores = new float[count];
            } else {
                Arrays.fill(scores, 0, count, 0);
            }

            return scores;
        }

        private float[] row(int count) {
            if (row.length < count) {
                row = new float[count];
            }

            return row;
        }
    }

    /** Heads {@code first ..} as the owner of {@code room} reads and writes them. */
    public Heads heads(int first, int count, Room room) {
        return new Heads(first, count, room);
    }

    /** Some heads. Belongs to one thread. */
    public final class Heads {
        private final int first;
        private final int count;
        private final Room room;

        private Heads(int first, int count, Room room) {
            this.first = first;
            this.count = count;
            this.room = room;
        }

        /** The first of them. */
        int first() {
            return first;
        }

        int count() {
            return count;
        }

        /** Keeps key and value of a token: these heads, one after the other. */
        void put(int place, float[] key, float[] value) {
            KeyValueRows.this.put(first, count, place, key, value);
        }

        /** Zeros for {@code count} scores or more. The next call overwrites them. */
        float[] scores(int count) {
            return room.scores(count);
        }

        /** An array for {@code count} scores or more. The next call gives the same one. */
        float[] row(int count) {
            return room.row(count);
        }

        /** The work on one head of a block. */
        interface Visit {
            /** @param at where {@code fetched} has its numbers */
            void accept(int block, int head, FetchedNumbers fetched, int at);
        }

        /** Visits the keys of blocks {@code from} to {@code to}, in this order. */
        void eachKeys(int from, int to, Visit visit) {
            each(keyNumbers.through(room.fetched), from, to, visit);
        }

        /** Visits the values of blocks {@code from} to {@code to}, in this order. */
        void eachValues(int from, int to, Visit visit) {
            each(valueNumbers.through(room.fetched), from, to, visit);
        }

        private void each(FetchedNumbers numbers, int from, int to, Visit visit) {
            int matrix = size * BLOCK;
            int atOnce = count == heads ? Math.max(1, FETCHED / (count * matrix)) : 1;
            for (int block = from; block <= to; block += atOnce) {
                int fetched = Math.min(atOnce, to + 1 - block) * count;
                numbers.fetch(start(block, first), fetched * matrix);
                for (int i = 0; i < fetched; i++) {
                    visit.accept(block + i / count, i % count, numbers, i * matrix);
                }
            }
        }
    }

    @Override
    public void close() {
        keys.releaseReference();
        values.releaseReference();
    }
}
