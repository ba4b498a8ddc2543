package org.sparkqlora.model.generation;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * Keys and values of one text in one layer, outside the heap, in blocks of {@value #BLOCK} tokens. In a block keys lie dimension by
 * dimension, so that the products of a query with all keys of the block are sums of rows; values lie token by token.
 */
public final class KeyValueRows implements AutoCloseable {
    /** Tokens of a block. */
    static final int BLOCK = 64;

    private final int heads;
    private final int size;
    private final int blocks;
    private final Tensor keys;
    private final Tensor values;
    private final TensorRows keyBlocks;
    private final TensorRows valueBlocks;

    /**
     * @param heads of keys
     * @param size of a head
     * @param tokens that the text has at most
     */
    public KeyValueRows(ScalarType type, int heads, int size, int tokens, RowMath math) {
        this.heads = heads;
        this.size = size;
        this.blocks = (tokens + BLOCK - 1) / BLOCK;
        this.keys = TensorScope.detached(() -> TensorMemory.empty(type, numbers() / 2));
        this.values = TensorScope.detached(() -> TensorMemory.empty(type, numbers() / 2));
        long rows = (long) heads * blocks;
        this.keyBlocks = TensorRows.of(keys, size * BLOCK, 0, rows, math);
        this.valueBlocks = TensorRows.of(values, size * BLOCK, 0, rows, math);
    }

    /** Numbers that a text of {@code tokens} takes in a layer whose keys have {@code width} numbers a token. */
    public static long numbers(int tokens, int width) {
        return 2L * width * ((tokens + BLOCK - 1) / BLOCK) * BLOCK;
    }

    private long numbers() {
        return numbers(blocks * BLOCK, heads * size);
    }

    /**
     * Takes the text's first {@code count} tokens.
     *
     * @param allKeys a row a token, all heads one after the other; the first token is row {@code start}
     */
    public void fill(TensorRows allKeys, TensorRows allValues, long start, int count) {
        Room room = new Room(size);
        TensorRows keyRows = keyBlocks.through(room.halves());
        TensorRows valueRows = valueBlocks.through(room.halves());
        float[][] token = new float[BLOCK][heads * size];
        float[] block = room.block();
        for (int first = 0; first < count; first += BLOCK) {
            int length = Math.min(BLOCK, count - first);
            for (int i = 0; i < length; i++) {
                allKeys.load(start + first + i, token[i]);
            }

            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < length; i++) {
                    putColumn(token[i], head * size, block, i);
                }

                keyRows.store(row(head, first / BLOCK), block);
            }

            for (int i = 0; i < length; i++) {
                allValues.load(start + first + i, token[i]);
            }

            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < length; i++) {
                    System.arraycopy(token[i], head * size, block, i * size, size);
                }

                valueRows.store(row(head, first / BLOCK), 0, length * size, block);
            }
        }
    }

    private void putColumn(float[] key, int at, float[] block, int column) {
        for (int d = 0; d < size; d++) {
            block[d * BLOCK + column] = key[at + d];
        }
    }

    private long row(int head, int block) {
        return (long) head * blocks + block;
    }

    /** Room for one block at a time. Belongs to one thread. */
    public record Room(short[] halves, float[] block) {
        /** @param size of a head */
        public Room(int size) {
            this(new short[size * BLOCK], new float[size * BLOCK]);
        }
    }

    /** The blocks of one head, as the owner of {@code room} reads and writes them. */
    public Head head(int head, Room room) {
        return new Head(head, keyBlocks.through(room.halves()), valueBlocks.through(room.halves()), room.block());
    }

    /** Blocks of one head. */
    public final class Head {
        private final int head;
        private final TensorRows keyRows;
        private final TensorRows valueRows;
        private final float[] block;

        private Head(int head, TensorRows keyRows, TensorRows valueRows, float[] block) {
            this.head = head;
            this.keyRows = keyRows;
            this.valueRows = valueRows;
            this.block = block;
        }

        /** Keys of a block, dimension by dimension; valid until another block is read. */
        float[] keys(int index) {
            keyRows.load(row(head, index), block);
            return block;
        }

        /** The same with the key of token {@code place}, which is kept. */
        float[] keysWith(int place, float[] key) {
            float[] read = keys(place / BLOCK);
            putColumn(key, 0, read, place % BLOCK);
            keyRows.store(row(head, place / BLOCK), read);
            return read;
        }

        /** Keeps the value of token {@code place}. */
        void put(int place, float[] value) {
            valueRows.store(row(head, place / BLOCK), place % BLOCK * size, size, value);
        }

        /** Values of tokens {@code from ..} of one block, token by token; valid until another block is read. */
        float[] values(int from, int count) {
            valueRows.load(row(head, from / BLOCK), from % BLOCK * size, count * size, block);
            return block;
        }
    }

    @Override
    public void close() {
        keys.releaseReference();
        values.releaseReference();
    }
}
