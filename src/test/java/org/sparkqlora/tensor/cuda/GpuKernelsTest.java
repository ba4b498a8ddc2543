package org.sparkqlora.tensor.cuda;

import org.bytedeco.pytorch.Device;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;

/** On a GPU, by NVRTC. */
@NullMarked
@Tag("gpu")
class GpuKernelsTest extends CardKernelsContract {
    private final Gpu gpu = Gpu.open(0);

    @Override
    CudaDevice card() {
        return CudaDriver.find().device(0);
    }

    @Override
    KernelCompiler compiler() {
        return Nvrtc.find();
    }

    @Override
    Device place() {
        return gpu.hardware().device();
    }
}
