package org.sparkqlora.tensor.cuda;

import java.util.List;

/** The meaning of an error that libtorch threw while it worked on a GPU. */
public final class TorchFailure {
    private static final List<String> MEMORY =
            List.of("CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED");

    /** After these the process cannot use the GPU any more. */
    private static final List<String> FATAL = List.of(
            "illegal memory access",
            "misaligned address",
            "illegal instruction",
            "invalid program counter",
            "device-side assert",
            "unspecified launch failure",
            "hardware stack error",
            "launch timed out",
            "uncorrectable ECC",
            "unknown error",
            "CUBLAS_STATUS_EXECUTION_FAILED",
            "CUBLAS_STATUS_INTERNAL_ERROR");

    private static final String CUDA = "CUDA error";

    private TorchFailure() {}

    /** {@code failure} by its own name, to be thrown: {@link GpuMemoryException} if that is it; throws {@link GpuLostError} if that is it. */
    public static RuntimeException named(RuntimeException failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof GpuMemoryException) {
            return failure;
        }

        if (MEMORY.stream().anyMatch(message::contains)) {
            return new GpuMemoryException(firstLine(message), failure);
        }

        if (message.contains(CUDA) && FATAL.stream().anyMatch(message::contains)) {
            throw new GpuLostError(
                    "Cannot use the GPU any more, so that this process ends: " + firstLine(message), failure);
        }

        return failure;
    }

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse(message);
    }
}
