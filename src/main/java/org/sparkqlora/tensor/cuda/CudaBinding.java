package org.sparkqlora.tensor.cuda;

import java.util.Optional;
import org.bytedeco.javacpp.Loader;

/**
 * libtorch's CUDA part, which nothing else makes a process load. That is tried once: Java tells why a class failed to load the first time
 * only, and every task of an executor is to know.
 */
enum CudaBinding {
    OF_PROCESS;

    private static final String NAME = "org.bytedeco.pytorch.global.torch_cuda";

    private final Optional<String> problem;

    CudaBinding() {
        this.problem = load();
    }

    /** Throws an error that says what is missing, if it is not there. */
    void require() {
        problem.ifPresent(reason -> {
            throw new IllegalStateException(reason);
        });
    }

    private static Optional<String> load() {
        try {
            Loader.load(Class.forName(NAME));
            return Optional.empty();
        } catch (ClassNotFoundException e) {
            return Optional.of("this jar lacks " + NAME);
        } catch (LinkageError e) {
            return Optional.of(problem(e));
        }
    }

    /** The last cause names the library; those before it, which of JavaCPP's needed it. */
    static String problem(LinkageError failure) {
        Throwable last = failure;
        while (last.getCause() != null) {
            last = last.getCause();
        }

        return "libtorch's CUDA part cannot be loaded: %s (cuBLAS, cuDNN, cuSPARSE, cuSOLVER and NCCL must be on the library path, as in NVIDIA's images cuda:*-cudnn-runtime)"
                .formatted(last.getMessage());
    }
}
