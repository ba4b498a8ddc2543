package org.sparkqlora.tensor;

import java.io.Serializable;

/** Storage of a flat vector's numbers. Ranges were checked by the vector. Different ranges may be used concurrently. */
sealed interface FloatStore extends Serializable permits HeapFloats, BufferFloats, FileFloats, PooledFloats {
    float get(long index);

    void set(long index, float value);

    void read(long from, float[] target, int at, int count);

    void write(long from, float[] source, int at, int count);

    void add(long from, float[] source, int at, int count);

    /** Frees the storage; must not be used afterwards. */
    void close();
}
