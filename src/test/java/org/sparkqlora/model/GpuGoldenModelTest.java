package org.sparkqlora.model;

import org.junit.jupiter.api.Tag;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.cuda.Gpu;

/** On a GPU. */
@Tag("gpu")
class GpuGoldenModelTest extends GoldenModelContract {
    private final Gpu gpu = Gpu.open(0);

    @Override
    Hardware hardware(Workers workers) {
        return gpu.hardware();
    }
}
