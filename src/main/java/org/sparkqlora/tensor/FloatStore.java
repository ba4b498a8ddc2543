package org.sparkqlora.tensor;

import java.io.Serializable;

/** Where the numbers of a flat vector lie. Ranges were checked by the vector. Different ranges may be used concurrently. */
sealed interface FloatStore extends Serializable permits HeapFloats, FileFloats, PooledFloats {
    float get(long index);

    void set(long index, float value);

    void read(long from, float[] target, int at, int count);

    void write(long from, float[] source, int at, int count);

    void add(long from, float[] source, int at, int count);

    /** Gives the room back; must not be used afterwards. */
    void close();
}
