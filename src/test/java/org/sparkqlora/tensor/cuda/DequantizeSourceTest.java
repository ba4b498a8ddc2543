package org.sparkqlora.tensor.cuda;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.FourBitExpansion;
import org.sparkqlora.tensor.FourBitExpansionContract;

/** The CUDA source of the kernel, compiled for the host. */
@NullMarked
@Tag(HostCuda.TAG)
class DequantizeSourceTest extends FourBitExpansionContract {
    @Override
    protected FourBitExpansion expansion() {
        return HostCuda.dequantize();
    }
}
