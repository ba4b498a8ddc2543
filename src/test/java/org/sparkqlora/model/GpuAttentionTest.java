package org.sparkqlora.model;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.cuda.Gpu;

/** By {@code scaled_dot_product_attention} on a GPU, which takes flash attention in 16 bits. */
@Tag("gpu")
class GpuAttentionTest extends DeviceAttentionContract {
    private final Gpu gpu = Gpu.open(0);

    @Override
    Hardware device() {
        return gpu.hardware();
    }
}
