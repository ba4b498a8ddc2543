package org.sparkqlora.tensor.cuda;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/** A page that libtorch's operations update, and wait for. On the host it is as it is; on the GPU it is only while it is updated. */
final class OperationsPage implements AdamWPage {
    private static final int BLOCK = 256;
    private static final int STATES = 2;

    private final Device device;
    private final AdamWOperations operations;
    private final Tensor parameters;
    private final Tensor gradients;
    private final Tensor state;

    OperationsPage(Device device, AdamWOperations operations, int elements, int stateBytes) {
        this.device = device;
        this.operations = operations;
        this.parameters = onHost(ScalarType.Float, elements);
        this.gradients = onHost(ScalarType.Float, elements);
        this.state = onHost(ScalarType.Byte, stateBytes);
    }

    @Override
    public FloatBuffer parameters() {
        return TensorMemory.floatBuffer(parameters);
    }

    @Override
    public FloatBuffer gradients() {
        return TensorMemory.floatBuffer(gradients);
    }

    @Override
    public ByteBuffer state() {
        return TensorMemory.byteBuffer(state);
    }

    @Override
    public void startEightBit(int count, int stateBytes, AdamWFactors factors) {
        pass(
                count,
                Float.BYTES,
                () -> state.narrow(0, 0, stateBytes),
                (p, g, s) -> operations.stepEightBit(p, g, s, factors));
    }

    @Override
    public void startFloat32(int count, int stateBytes, AdamWFactors factors) {
        pass(
                count,
                0,
                () -> state.narrow(0, 0, stateBytes).view(ScalarType.Float),
                (p, g, s) -> operations.stepFloat32(p, g, s, factors));
    }

    /** Copies between host and GPU have waited. */
    @Override
    public void await() {}

    @Override
    public void close() {
        parameters.releaseReference();
        gradients.releaseReference();
        state.releaseReference();
    }

    /**
     * Takes the page to the device, step by step on as many blocks as may go at once, and back.
     *
     * @param behind entries of the state that follow each block's, beside one an element
     */
    private void pass(int count, int behind, Supplier<Tensor> stored, Step step) {
        try {
            TensorScope.run(() -> {
                Tensor before = stored.get();
                Tensor moved = TensorMemory.on(device, parameters.narrow(0, 0, count));
                Tensor gradient = TensorMemory.on(device, gradients.narrow(0, 0, count));
                Tensor changed = TensorMemory.on(device, before);
                for (int done = 0; done < count; done += piece(count - done)) {
                    int from = done;
                    int length = Math.min(BLOCK, count - from);
                    int blocks = piece(count - from) / length;
                    TensorScope.run(() -> step.on(
                            matrix(moved, from, blocks, length),
                            matrix(gradient, from, blocks, length),
                            states(changed, from / BLOCK, behind, blocks, length)));
                }

                parameters.narrow(0, 0, count).copy_(moved);
                before.copy_(changed);
            });
        } catch (RuntimeException e) {
            throw TorchFailure.named(e);
        }
    }

    /** Elements of the whole blocks that go at once, or of the last, which is not whole. */
    private static int piece(int left) {
        return left < BLOCK ? left : Math.min(AdamWOperations.PIECE, left / BLOCK * BLOCK);
    }

    private static Tensor matrix(Tensor flat, int from, int blocks, int length) {
        return flat.narrow(0, from, (long) blocks * length).view(blocks, length);
    }

    private static Tensor states(Tensor flat, int firstBlock, int behind, int blocks, int length) {
        long from = (long) firstBlock * STATES * (BLOCK + behind);
        return flat.narrow(0, from, (long) blocks * STATES * (length + behind)).view(blocks, STATES, length + behind);
    }

    private static Tensor onHost(ScalarType type, int count) {
        return TensorScope.detached(() -> TensorMemory.empty(type, count));
    }

    /** Moves some blocks. */
    private interface Step {
        void on(Tensor parameters, Tensor gradients, Tensor state);
    }
}
