package org.sparkqlora.tensor.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** A page that our kernel updates: pinned on the host and on the GPU, with a stream of its own, so that while it is updated, another one is copied. */
final class KernelPage implements AdamWPage {
    private static final int BLOCK = 256;

    private final CudaKernels kernels;
    private final AdamWKernel tables;
    private final PinnedMemory parameters;
    private final PinnedMemory gradients;
    private final PinnedMemory state;
    private final Pointer stream;

    KernelPage(CudaKernels kernels, AdamWKernel tables, int elements, int stateBytes) {
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

    @Override
    public FloatBuffer parameters() {
        return parameters.buffer().asFloatBuffer();
    }

    @Override
    public FloatBuffer gradients() {
        return gradients.buffer().asFloatBuffer();
    }

    @Override
    public ByteBuffer state() {
        return state.buffer();
    }

    @Override
    public void startEightBit(int count, int stateBytes, AdamWFactors factors) {
        KernelArguments arguments = arguments(count, factors)
                .add(tables.table(0))
                .add(tables.table(1))
                .add(tables.table(2))
                .add(tables.table(3));
        pass("adamw_8bit", count, stateBytes, arguments);
    }

    @Override
    public void startFloat32(int count, int stateBytes, AdamWFactors factors) {
        pass("adamw_float32", count, stateBytes, arguments(count, factors));
    }

    @Override
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
