package org.sparkqlora.optim;

import org.bytedeco.pytorch.Device;
import org.jspecify.annotations.NullMarked;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.cuda.AdamWOperations;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** The fallback for a kernel that cannot be compiled, on the processor. */
@NullMarked
class OperationsOptimizerTest extends GpuOptimizerContract {
    @Override
    GpuAdamW update() {
        Natives.load();
        return new AdamWOperations(new Device("cpu"));
    }
}
