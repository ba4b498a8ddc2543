package org.sparkqlora.model;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.cuda.Gpu;

/** On a GPU, in fp16 and bf16 too. */
@Tag("gpu")
class GpuModelTest extends DeviceModelContract {
    private final Gpu gpu = Gpu.open(0);

    @Override
    Hardware device(Workers workers) {
        return gpu.hardware();
    }
}
