package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Room for one page on its way: its state as stored, its parameters and its gradients. */
record PageFrame(ByteBuffer state, float[] parameters, float[] gradient) {
    static PageFrame of(int stateBytes, int elements) {
        return new PageFrame(
                ByteBuffer.allocate(stateBytes).order(ByteOrder.LITTLE_ENDIAN),
                new float[elements],
                new float[elements]);
    }

    static long byteSize(int stateBytes, int elements) {
        return stateBytes + 2L * Float.BYTES * elements;
    }
}
