package org.sparkqlora.optim;

import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.cuda.GpuAdamW;
import org.sparkqlora.tensor.cuda.HostCuda;

/** The two of a driver that the processor plays. */
@NullMarked
@Tag(HostCuda.TAG)
class AllGpusTest extends AllGpusContract {
    @Override
    List<GpuAdamW> updates() {
        return HostCuda.adamWOfEach();
    }
}
