package org.sparkqlora.optim;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.cuda.AdamWKernel;
import org.sparkqlora.tensor.cuda.Gpu;

/** The kernel on a GPU. */
@NullMarked
@Tag("gpu")
class GpuOptimizerTest extends GpuOptimizerContract {
    @Override
    AdamWKernel kernel() {
        return Gpu.open(0).update().orElseThrow();
    }
}
