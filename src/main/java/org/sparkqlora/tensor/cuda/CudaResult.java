package org.sparkqlora.tensor.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.Locale;
import java.util.Set;

/** The result of a call of the driver. */
record CudaResult(DriverApi api) {
    private static final int SUCCESS = 0;
    private static final int OUT_OF_MEMORY = 2;

    /**
     * After these a process cannot use the GPU any more: ECC error, hardware fault, illegal address, time-out, assertion and the like,
     * and what the driver cannot name.
     */
    private static final Set<Integer> FATAL = Set.of(214, 219, 220, 700, 702, 710, 714, 715, 716, 717, 718, 719, 999);

    /** Throws what {@code result} means; {@code action} completes "Cannot ...". */
    void require(int result, String action) {
        if (result == SUCCESS) {
            return;
        }

        String message = String.format(Locale.ROOT, "Cannot %s: CUDA error %d, %s", action, result, text(result));
        if (result == OUT_OF_MEMORY) {
            throw new GpuMemoryException(message);
        }

        if (FATAL.contains(result)) {
            throw new GpuLostError(message);
        }

        throw new IllegalStateException(message);
    }

    private String text(int result) {
        PointerByReference text = new PointerByReference();
        api.cuGetErrorString(result, text);
        Pointer found = text.getValue();
        return found == null ? "unknown" : found.getString(0);
    }
}
