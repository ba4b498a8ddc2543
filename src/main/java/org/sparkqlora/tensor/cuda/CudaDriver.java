package org.sparkqlora.tensor.cuda;

import com.sun.jna.Native;
import com.sun.jna.ptr.IntByReference;
import java.util.List;

/** The CUDA driver of this machine. */
public final class CudaDriver {
    private static final List<String> NAMES = List.of("libcuda.so.1", "nvcuda");

    private final DriverApi api;
    private final CudaResult results;

    private CudaDriver(DriverApi api) {
        this.api = api;
        this.results = new CudaResult(api);
        results.require(api.cuInit(0), "start the CUDA driver");
    }

    /** The driver that NVIDIA's kernel module brings. */
    public static CudaDriver find() {
        return new CudaDriver(SharedLibrary.firstOf(NAMES, DriverApi.class)
                .orElseThrow(() -> new IllegalStateException(
                        "none of %s can be loaded (NVIDIA's driver is missing, or the container does not see it)"
                                .formatted(String.join(", ", NAMES)))));
    }

    /** A library of the same interface. */
    public static CudaDriver load(String path) {
        return new CudaDriver(Native.load(path, DriverApi.class));
    }

    /** The number of GPUs that this process may use; they are numbered from 0. */
    public int devices() {
        IntByReference count = new IntByReference();
        results.require(api.cuDeviceGetCount(count), "count GPUs");
        return count.getValue();
    }

    /** The GPU of that number. */
    public CudaDevice device(int ordinal) {
        return CudaDevice.open(api, ordinal);
    }
}
