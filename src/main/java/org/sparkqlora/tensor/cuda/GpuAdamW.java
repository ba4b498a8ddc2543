package org.sparkqlora.tensor.cuda;

/** AdamW on pages of optimiser state that pass through a GPU, to the bits of the processor's. Safe for use by several threads. */
public sealed interface GpuAdamW extends AutoCloseable permits AdamWKernel, AdamWOperations {
    /** Room for one page on its way through the GPU. */
    AdamWPage page(int elements, int stateBytes);

    @Override
    void close();
}
