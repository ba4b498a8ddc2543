package org.sparkqlora.tensor.cuda;

import org.bytedeco.pytorch.Device;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;

/** On a card that the processor plays, which takes any image for its own kernels. */
@NullMarked
@Tag(HostCuda.TAG)
class CardKernelsTest extends CardKernelsContract {
    @Override
    CudaDevice card() {
        return HostCuda.device();
    }

    @Override
    KernelCompiler compiler() {
        return new KernelCompiler() {
            @Override
            public String identity() {
                return "the host's";
            }

            @Override
            public byte[] cubin(KernelSource source, String architecture) {
                return new byte[] {0};
            }
        };
    }

    @Override
    Device place() {
        return new Device("cpu");
    }
}
