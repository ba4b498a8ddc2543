package org.sparkqlora.tensor;

import java.io.Serial;
import java.util.Queue;

/** Numbers that go back to their pool when they are closed. Serialised, they become numbers in memory. */
final class PooledFloats implements FloatStore {
    @Serial
    private static final long serialVersionUID = 1L;

    private final HeapFloats numbers;
    private final transient Queue<HeapFloats> pool;
    private boolean closed;

    PooledFloats(HeapFloats numbers, Queue<HeapFloats> pool) {
        this.numbers = numbers;
        this.pool = pool;
    }

    @Override
    public float get(long index) {
        return open().get(index);
    }

    @Override
    public void set(long index, float value) {
        open().set(index, value);
    }

    @Override
    public void read(long from, float[] target, int at, int count) {
        open().read(from, target, at, count);
    }

    @Override
    public void write(long from, float[] source, int at, int count) {
        open().write(from, source, at, count);
    }

    @Override
    public void add(long from, float[] source, int at, int count) {
        open().add(from, source, at, count);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            pool.add(numbers);
        }
    }

    @Serial
    private Object writeReplace() {
        return open();
    }

    private HeapFloats open() {
        if (closed) {
            throw new IllegalStateException("Cannot use a vector that was given back to its pool");
        }

        return numbers;
    }
}
