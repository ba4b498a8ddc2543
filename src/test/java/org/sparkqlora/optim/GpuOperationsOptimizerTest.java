package org.sparkqlora.optim;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.cuda.AdamWOperations;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** The optimiser by libtorch's operations on a GPU. */
@NullMarked
@Tag("gpu")
class GpuOperationsOptimizerTest extends GpuOptimizerContract {
    @Override
    GpuAdamW update() {
        return new AdamWOperations(Gpu.open(0).hardware().device());
    }
}
