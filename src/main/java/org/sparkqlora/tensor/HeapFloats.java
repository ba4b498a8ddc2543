package org.sparkqlora.tensor;

import java.util.Arrays;

/** Numbers in Java's heap, in chunks so that no array length limits them. */
record HeapFloats(float[][] chunks) implements FloatStore {
    /** 64 MiB a chunk: large enough to be rare, small enough for any garbage collector. */
    private static final int CHUNK_BITS = 24;

    private static final int CHUNK = 1 << CHUNK_BITS;

    static HeapFloats zeros(long length) {
        float[][] chunks = new float[Math.toIntExact((length + CHUNK - 1) >>> CHUNK_BITS)][];
        for (int c = 0; c < chunks.length; c++) {
            chunks[c] = new float[(int) Math.min(CHUNK, length - ((long) c << CHUNK_BITS))];
        }

        return new HeapFloats(chunks);
    }

    void clear() {
        for (float[] chunk : chunks) {
            Arrays.fill(chunk, 0f);
        }
    }

    @Override
    public float get(long index) {
        return chunks[(int) (index >>> CHUNK_BITS)][(int) (index & (CHUNK - 1))];
    }

    @Override
    public void set(long index, float value) {
        chunks[(int) (index >>> CHUNK_BITS)][(int) (index & (CHUNK - 1))] = value;
    }

    @Override
    public void read(long from, float[] target, int at, int count) {
        eachPiece(from, count, (chunk, offset, done, n) -> System.arraycopy(chunk, offset, target, at + done, n));
    }

    @Override
    public void write(long from, float[] source, int at, int count) {
        eachPiece(from, count, (chunk, offset, done, n) -> System.arraycopy(source, at + done, chunk, offset, n));
    }

    @Override
    public void add(long from, float[] source, int at, int count) {
        eachPiece(from, count, (chunk, offset, done, n) -> addInto(chunk, offset, source, at + done, n));
    }

    @Override
    public void close() {
        // memory is left to the garbage collector
    }

    private void eachPiece(long from, int count, PieceAction action) {
        int done = 0;
        while (done < count) {
            long at = from + done;
            float[] chunk = chunks[(int) (at >>> CHUNK_BITS)];
            int offset = (int) (at & (CHUNK - 1));
            int n = Math.min(count - done, chunk.length - offset);
            action.apply(chunk, offset, done, n);
            done += n;
        }
    }

    private static void addInto(float[] target, int to, float[] source, int from, int count) {
        for (int i = 0; i < count; i++) {
            target[to + i] += source[from + i];
        }
    }

    /** Acts on {@code count} elements of one chunk, {@code done} elements of the range being behind. */
    private interface PieceAction {
        void apply(float[] chunk, int offset, int done, int count);
    }
}
