package org.sparkqlora.tensor.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Room for one page of optimiser state with its parameters and gradients, pinned on the host and on the GPU, and a stream of its own:
 * while one page is updated, another one is copied. Belongs to one thread.
 */
public final class AdamWPage implements AutoCloseable {
    private static final int BLOCK = 256;

    private final CudaKernels kernels;
    private final AdamWKernel tables;
    private final PinnedMemory parameters;
    private final PinnedMemory gradients;
    private final PinnedMemory state;
    private final Pointer stream;

    AdamWPage(CudaKernels kernels, AdamWKernel tables, int elements, int stateBytes) {
        this.kernels = kernels;
        this.tables = tables;
        CudaDevice device = kernels.device();
        this.parameters = new PinnedMemory(device, (long) elements * Float.BYTES);
        this.gradients = new PinnedMemory(device, (long) elements * Float.BYTES);
        this.state = new PinnedMemory(device, stateBytes);
        PointerByReference created = new PointerByReference();
        device.require(device.api().cuStreamCreate(created, 0), "make a stream");
        this.stream = created.getValue();
    }

    /** Bytes of GPU memory that a page of that size takes; as many of the host's are pinned. */
    public static long byteSize(int elements, int stateBytes) {
        return 2L * Float.BYTES * elements + stateBytes;
    }

    /** To be filled before a step; the result after it. */
    public FloatBuffer parameters() {
        return parameters.buffer().asFloatBuffer();
    }

    /** To be filled before a step. */
    public FloatBuffer gradients() {
        return gradients.buffer().asFloatBuffer();
    }

    /** To be filled before a step; the result after it. */
    public ByteBuffer state() {
        return state.buffer();
    }

    /**
     * Sends the first {@code count} elements through the GPU, whose state is in 8 bits, and does not wait.
     *
     * @param stateBytes of these elements
     */
    public void startEightBit(int count, int stateBytes, AdamWFactors factors) {
        KernelArguments arguments = arguments(count, factors)
                .add(tables.table(0))
                .add(tables.table(1))
                .add(tables.table(2))
                .add(tables.table(3));
        pass("adamw_8bit", count, stateBytes, arguments);
    }

    /** The same for state in float32. */
    public void startFloat32(int count, int stateBytes, AdamWFactors factors) {
        pass("adamw_float32", count, stateBytes, arguments(count, factors));
    }

    /** Waits until the page is back. */
    public void await() {
        kernels.device().synchronize(stream);
    }

    @Override
    public void close() {
        CudaDevice device = kernels.device();
        device.enter();
        device.require(device.api().cuStreamDestroy_v2(stream), "give a stream back");
        parameters.close();
        gradients.close();
        state.close();
    }

    private KernelArguments arguments(int count, AdamWFactors factors) {
        return new KernelArguments()
                .add(parameters.address())
                .add(gradients.address())
                .add(state.address())
                .add(count)
                .add(factors.structure());
    }

    private void pass(String kernel, int count, int stateBytes, KernelArguments arguments) {
        kernels.device().enter();
        long bytes = (long) count * Float.BYTES;
        parameters.upload(bytes, stream);
        gradients.upload(bytes, stream);
        state.upload(stateBytes, stream);
        kernels.launch(kernel, stream, (count + BLOCK - 1) / BLOCK, BLOCK, arguments);
        parameters.download(bytes, stream);
        state.download(stateBytes, stream);
    }
}
