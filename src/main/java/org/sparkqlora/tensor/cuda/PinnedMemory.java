package org.sparkqlora.tensor.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Memory of the host that stays where it is, so that a GPU copies it by itself, and as much of the GPU's, its twin. */
final class PinnedMemory implements AutoCloseable {
    private final CudaDevice device;
    private final long bytes;
    private final Pointer host;
    private final long address;

    PinnedMemory(CudaDevice device, long bytes) {
        this.device = device;
        this.bytes = bytes;
        device.enter();
        PointerByReference pinned = new PointerByReference();
        device.require(
                device.api().cuMemHostAlloc(pinned, bytes, 0),
                String.format(Locale.ROOT, "pin %d bytes of memory", bytes));
        this.host = pinned.getValue();
        LongByReference allocated = new LongByReference();
        try {
            device.require(
                    device.api().cuMemAlloc_v2(allocated, bytes),
                    String.format(Locale.ROOT, "take %d bytes of GPU memory", bytes));
        } catch (RuntimeException | Error e) {
            device.api().cuMemFreeHost(host);
            throw e;
        }

        this.address = allocated.getValue();
    }

    /** The host's part. */
    ByteBuffer buffer() {
        return host.getByteBuffer(0, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The GPU's part. */
    long address() {
        return address;
    }

    /** Copies the first {@code count} bytes to the GPU, after what is in {@code stream}. */
    void upload(long count, @Nullable Pointer stream) {
        device.require(device.api().cuMemcpyHtoDAsync_v2(address, host, count, stream), "copy to the GPU");
    }

    /** Copies the first {@code count} bytes back, after what is in {@code stream}. */
    void download(long count, @Nullable Pointer stream) {
        device.require(device.api().cuMemcpyDtoHAsync_v2(host, address, count, stream), "copy from the GPU");
    }

    @Override
    public void close() {
        device.enter();
        device.require(device.api().cuMemFree_v2(address), "give GPU memory back");
        device.require(device.api().cuMemFreeHost(host), "give pinned memory back");
    }
}
