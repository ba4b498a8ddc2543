package org.sparkqlora.memory;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.tensor.cuda.CudaDevice;
import org.sparkqlora.tensor.cuda.CudaDriver;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.PassingBound;

/** On a GPU whose memory is filled but for what is wanted. */
@Tag("gpu")
class GpuScarceRoomTest extends ScarceRoomContract {
    private final Gpu gpu = Gpu.open(0);

    @Override
    Hardware device() {
        return gpu.hardware();
    }

    @Override
    BoundModel scarce(BoundModel bound, int rows, long bytes) {
        CudaDevice card = CudaDriver.find().device(0);
        long free = card.bytes() - card.takenBytes();
        return new Filled(
                bound, TensorScope.detached(() -> device().empty(ScalarType.Byte, Math.max(1, free - bytes))));
    }

    private record Filled(BoundModel bound, Tensor filling) implements PassingBound {
        @Override
        public void close() {
            filling.releaseReference();
        }
    }
}
