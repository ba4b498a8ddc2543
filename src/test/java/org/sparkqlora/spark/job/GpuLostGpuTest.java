package org.sparkqlora.spark.job;

import org.apache.spark.api.java.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.tensor.cuda.TorchFailure;

/** A GPU whose process reads behind the end of a tensor, which CUDA forgives none of its later calls. */
@Tag("gpu")
class GpuLostGpuTest extends LostGpuContract {
    @Override
    Function<Integer, String> task() {
        return number -> onBrokenContext();
    }

    private static String onBrokenContext() {
        boolean breaks = losesTheGpu();
        try (PointerScope scope = new PointerScope()) {
            Hardware gpu = Gpu.open(0).hardware();
            Tensor place = gpu.on(TensorMemory.longs(new long[] {breaks ? 1 << 20 : 0}));
            TensorMemory.onHost(gpu.zeros(ScalarType.Float, 4).index_select(0, place));
            return executor();
        } catch (RuntimeException e) {
            throw TorchFailure.named(e);
        }
    }
}
