package org.sparkqlora.tensor.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@NullMarked
@Tag(HostCuda.TAG)
class CudaDeviceTest {
    @Test
    void tellsWhatItIs() {
        CudaDevice device = HostCuda.device();

        assertThat(device.name()).isEqualTo("the host");
        assertThat(device.bytes()).isEqualTo(1L << 33);
        assertThat(device.takenBytes()).isEqualTo(1L << 20);
        assertThat(device.capability()).isEqualTo(new ComputeCapability(8, 0));
        assertThat(device.capability().architecture()).isEqualTo("sm_80");
    }

    @Test
    void aNumberThatNoGpuHasIsRefused() {
        CudaDriver driver = CudaDriver.load(HostCuda.library().toString());

        assertThat(driver.devices()).isEqualTo(2);
        assertThatThrownBy(() -> driver.device(2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot open GPU 2: CUDA error 101, invalid device ordinal");
    }

    @Test
    void aKernelThatIsNotThereIsNamed() {
        CudaKernels kernels = HostCuda.device().kernels(new byte[] {0});

        assertThatThrownBy(() -> kernels.launch("none", null, 1, 1, new KernelArguments()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot find kernel none: CUDA error 500, an error");
    }

    @Test
    void onlyWhatEndsAContextIsFatal() {
        CudaResult results = new CudaResult(HostCuda.device().api());

        assertThatThrownBy(() -> results.require(700, "copy"))
                .isInstanceOf(GpuLostError.class)
                .hasMessage("Cannot copy: CUDA error 700, an illegal memory access was encountered");
        assertThatThrownBy(() -> results.require(2, "copy"))
                .isInstanceOf(GpuMemoryException.class)
                .hasMessage("Cannot copy: CUDA error 2, out of memory");
    }
}
