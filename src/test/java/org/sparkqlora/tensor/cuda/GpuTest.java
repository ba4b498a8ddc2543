package org.sparkqlora.tensor.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@NullMarked
class GpuTest {
    @Test
    void aGpuThatCannotBeUsedSaysWhyAndWhatElseThereIs() {
        assertThat(Gpu.problem(0).orElseThrow())
                .startsWith("Cannot compute on GPU 0: ")
                .endsWith(". With --device cpu it computes on the processor");
    }

    @Test
    @Tag(HostCuda.TAG)
    void aNumberBehindTheLastSaysHowManyThereAre() {
        CudaDriver driver = CudaDriver.load(HostCuda.library().toString());

        assertThat(Gpu.checked(driver, 1).ordinal()).isEqualTo(1);
        assertThatThrownBy(() -> Gpu.checked(driver, 5))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the process sees 2 of them, numbered from 0 (CUDA_VISIBLE_DEVICES may hide it)");
    }

    @Test
    void aLibraryThatTheSystemLacksIsNamed() {
        UnsatisfiedLinkError last = new UnsatisfiedLinkError(
                "libjnicublas.so: libcublas.so.13: cannot open shared object file: No such file or directory");
        UnsatisfiedLinkError first = new UnsatisfiedLinkError("no jnicublas in java.library.path: /usr/lib");
        first.initCause(last);

        assertThat(Gpu.CudaBinding.problem(first))
                .isEqualTo("libtorch's CUDA part cannot be loaded: libjnicublas.so: libcublas.so.13: cannot open shared"
                        + " object file: No such file or directory (cuBLAS, cuDNN, cuSPARSE, cuSOLVER and NCCL must be on"
                        + " the library path, as in NVIDIA's images cuda:*-cudnn-runtime)");
    }

    @Test
    void generationsAreOrdered() {
        assertThat(new ComputeCapability(7, 5).isAtLeast(ComputeCapability.OLDEST))
                .isTrue();
        assertThat(new ComputeCapability(7, 0).isAtLeast(ComputeCapability.OLDEST))
                .isFalse();
        assertThat(new ComputeCapability(10, 0).isAtLeast(ComputeCapability.OLDEST))
                .isTrue();
        assertThat(new ComputeCapability(7, 5).hasBfloat16()).isFalse();
    }

    @Test
    void libtorchsErrorsGetTheirNames() {
        RuntimeException memory = new RuntimeException(
                "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23 GiB\n"
                        + "Exception raised from malloc");
        RuntimeException plain = new RuntimeException("The size of tensor a (3) must match");
        RuntimeException sick = new RuntimeException("CUDA error: an illegal memory access was encountered\n"
                + "CUDA kernel errors might be asynchronously reported");

        assertThat(TorchFailure.named(memory))
                .isInstanceOf(GpuMemoryException.class)
                .hasMessage("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23 GiB")
                .hasCause(memory);
        assertThat(TorchFailure.named(plain)).isSameAs(plain);
        assertThatThrownBy(() -> TorchFailure.named(sick))
                .isInstanceOf(GpuLostError.class)
                .hasMessage(
                        "Cannot use the GPU any more, so that this process ends: CUDA error: an illegal memory access"
                                + " was encountered");
    }
}
