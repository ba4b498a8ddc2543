package org.sparkqlora.optim;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** The kernel on a GPU. */
@NullMarked
@Tag("gpu")
class GpuOptimizerTest extends GpuOptimizerContract {
    @Override
    GpuAdamW update() {
        return Gpu.open(0).update();
    }
}
