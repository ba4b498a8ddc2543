package org.sparkqlora.tensor.cuda;

import org.bytedeco.pytorch.Device;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.FourBitExpansion;
import org.sparkqlora.tensor.FourBitExpansionContract;

/** The kernel on a GPU. */
@NullMarked
@Tag("gpu")
class GpuDequantizeTest extends FourBitExpansionContract {
    private final Gpu gpu = Gpu.open(0);

    @Override
    protected FourBitExpansion expansion() {
        return gpu.hardware().expansion();
    }

    @Override
    protected Device device() {
        return gpu.hardware().device();
    }
}
