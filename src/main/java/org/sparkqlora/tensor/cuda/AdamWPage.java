package org.sparkqlora.tensor.cuda;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Room for one page of optimiser state with its parameters and gradients, on the host and on a GPU. Belongs to one thread. */
public sealed interface AdamWPage extends AutoCloseable permits KernelPage, OperationsPage {
    /** Bytes of GPU memory that a page of that size takes; as many of the host's are pinned. */
    static long byteSize(int elements, int stateBytes) {
        return 2L * Float.BYTES * elements + stateBytes;
    }

    /** To be filled before a step; the result after it. */
    FloatBuffer parameters();

    /** To be filled before a step. */
    FloatBuffer gradients();

    /** To be filled before a step; the result after it. */
    ByteBuffer state();

    /**
     * Sends the first {@code count} elements through the GPU, whose state is in 8 bits, and need not wait.
     *
     * @param stateBytes of these elements
     */
    void startEightBit(int count, int stateBytes, AdamWFactors factors);

    /** As {@link #startEightBit}, with state in float32. */
    void startFloat32(int count, int stateBytes, AdamWFactors factors);

    /** Waits until the page is back. */
    void await();

    @Override
    void close();
}
