package org.sparkqlora.tensor;

import java.nio.FloatBuffer;

/** Numbers in memory that somebody else owns. Serialised, they become numbers in Java's heap. */
final class BufferFloats implements FloatStore {
    private static final long serialVersionUID = 1L;

    private final transient FloatBuffer numbers;

    BufferFloats(FloatBuffer numbers) {
        this.numbers = numbers;
    }

    @Override
    public float get(long index) {
        return numbers.get((int) index);
    }

    @Override
    public void set(long index, float value) {
        numbers.put((int) index, value);
    }

    @Override
    public void read(long from, float[] target, int at, int count) {
        numbers.get((int) from, target, at, count);
    }

    @Override
    public void write(long from, float[] source, int at, int count) {
        numbers.put((int) from, source, at, count);
    }

    /** Through an array, over which Java's compiler adds many numbers at once. */
    @Override
    public void add(long from, float[] source, int at, int count) {
        float[] sum = new float[count];
        read(from, sum, 0, count);
        for (int i = 0; i < count; i++) {
            sum[i] += source[at + i];
        }

        write(from, sum, 0, count);
    }

    @Override
    public void close() {
        // its owner frees it
    }

    private Object writeReplace() {
        float[] values = new float[numbers.capacity()];
        read(0, values, 0, values.length);
        HeapFloats copy = HeapFloats.zeros(values.length);
        copy.write(0, values, 0, values.length);
        return copy;
    }
}
