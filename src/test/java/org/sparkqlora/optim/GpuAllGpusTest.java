package org.sparkqlora.optim;

import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.cuda.CudaDriver;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** Those of this machine, be it one. */
@NullMarked
@Tag("gpu")
class GpuAllGpusTest extends AllGpusContract {
    @Override
    List<GpuAdamW> updates() {
        return IntStream.range(0, CudaDriver.find().devices())
                .mapToObj(number -> Gpu.open(number).update())
                .toList();
    }
}
