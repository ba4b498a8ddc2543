package org.sparkqlora.optim;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.cuda.GpuAdamW;
import org.sparkqlora.tensor.cuda.HostCuda;

/** The CUDA source of the kernel, compiled for the host. */
@NullMarked
@Tag(HostCuda.TAG)
class AdamWSourceTest extends GpuOptimizerContract {
    @Override
    GpuAdamW update() {
        return HostCuda.adamW();
    }
}
