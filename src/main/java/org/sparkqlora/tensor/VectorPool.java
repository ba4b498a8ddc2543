package org.sparkqlora.tensor;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Vectors in memory that are used again once they are closed. Arrays as large as a gradient go to the old part of Java's heap at once,
 * where only a collection of the whole heap finds those of the steps before. Safe for concurrent use.
 */
public final class VectorPool {
    private final long length;
    private final Queue<HeapFloats> free = new ConcurrentLinkedQueue<>();

    /** @param length of each vector */
    public VectorPool(long length) {
        this.length = length;
    }

    /** A vector of zeros, which must not be used after it was closed. */
    public FlatVector zeros() {
        HeapFloats used = free.poll();
        if (used != null) {
            used.clear();
        }

        return FlatVector.over(length, new PooledFloats(used == null ? HeapFloats.zeros(length) : used, free));
    }
}
