package org.sparkqlora.tensor.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.lang.ref.Reference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Kernels of one source on one GPU, there as long as the process is. Safe for use by several threads. */
public final class CudaKernels {
    private final CudaDevice device;
    private final Pointer module;
    private final Memory image; // the driver may read it later
    private final Map<String, Pointer> functions = new ConcurrentHashMap<>();

    CudaKernels(CudaDevice device, Pointer module, Memory image) {
        this.device = device;
        this.module = module;
        this.image = image;
    }

    CudaDevice device() {
        return device;
    }

    /** Bytes of the compiled kernels. */
    long bytes() {
        return image.size();
    }

    /**
     * Starts a kernel and does not wait for it.
     *
     * @param stream that it follows in; null is the one that libtorch works in unless told otherwise
     * @param blocks of threads
     * @param threads of a block
     */
    void launch(String kernel, @Nullable Pointer stream, long blocks, int threads, KernelArguments arguments) {
        device.enter();
        Pointer function = functions.computeIfAbsent(kernel, this::find);
        device.require(call(function, stream, Math.toIntExact(blocks), threads, arguments), "start kernel " + kernel);
    }

    /** The driver reads the arguments behind their addresses, which Java does not know of. */
    private int call(Pointer function, @Nullable Pointer stream, int blocks, int threads, KernelArguments arguments) {
        try {
            return device.api()
                    .cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, arguments.addresses(), null);
        } finally {
            Reference.reachabilityFence(arguments);
        }
    }

    private Pointer find(String kernel) {
        PointerByReference function = new PointerByReference();
        device.require(device.api().cuModuleGetFunction(function, module, kernel), "find kernel " + kernel);
        return function.getValue();
    }
}
