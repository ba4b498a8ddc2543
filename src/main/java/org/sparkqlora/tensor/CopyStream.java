package org.sparkqlora.tensor;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceGuardImplInterface;
import org.bytedeco.pytorch.OptionalStreamGuard;
import org.bytedeco.pytorch.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A stream of a device beside the one that computes: what the host copies there in it arrives while that computes. The processor has one
 * stream alone.
 */
public final class CopyStream implements AutoCloseable {
    private final Stream stream;

    private CopyStream(Stream stream) {
        this.stream = stream.retainReference();
    }

    /** A new one; to be closed. */
    public static CopyStream on(Device device) {
        try (PointerScope scope = new PointerScope()) {
            return new CopyStream(streams(device).getNewStream(device));
        }
    }

    /** What {@code copies} makes on the device; it is there on return. Frees all tensors of {@code copies} that are not detached. */
    public <R> R run(Supplier<R> copies) {
        try (PointerScope scope = new PointerScope();
                OptionalStreamGuard guard = new OptionalStreamGuard(stream)) {
            R made = copies.get();
            stream.synchronize();
            return made;
        }
    }

    /**
     * Has the memory of a tensor that was made in such a stream wait for all that this thread has computed with it: libtorch's allocator
     * gives it out again, in the stream that made it, once it is freed.
     */
    public static void used(Tensor tensor) {
        if (tensor.is_cuda()) {
            TensorScope.run(() -> {
                Device device = tensor.device();
                tensor.record_stream(streams(device).getStream(device));
            });
        }
    }

    private static DeviceGuardImplInterface streams(Device device) {
        return torch.getDeviceGuardImpl(device.type());
    }

    @Override
    public void close() {
        stream.releaseReference();
    }
}
