package org.sparkqlora.tensor;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** Tensors in a scratch file, which is made when it is needed; the last one comes back first. Belongs to one pass. */
public final class OffloadedTensors implements AutoCloseable {
    private final Path folder;
    private final Deque<Offloaded> stack = new ArrayDeque<>();
    private @Nullable ScratchFile file;
    private long end;

    /** @param folder of the scratch file */
    public OffloadedTensors(Path folder) {
        this.folder = folder;
    }

    private record Offloaded(long at, ScalarType type, long[] shape, Device device) {}

    /** Keeps a copy of {@code tensor}, which the caller frees. */
    public void push(Tensor tensor) {
        if (file == null) {
            file = ScratchFile.create(folder, "activations", 0);
        }

        Tensor here = TensorMemory.onHost(tensor).contiguous();
        file.write(end, TensorMemory.bytes(here));
        long[] shape = tensor.sizes().vec().get();
        stack.push(new Offloaded(end, tensor.scalar_type(), shape, tensor.device()));
        end += here.nbytes();
    }

    /** The tensor that was kept last, where it lay; no longer kept. */
    public Tensor pop() {
        if (file == null) {
            throw new IllegalStateException("Cannot bring back a tensor: none was offloaded");
        }

        Offloaded last = stack.pop();
        Tensor here = TensorMemory.empty(last.type(), last.shape());
        file.read(last.at(), TensorMemory.bytes(here));
        end = last.at();
        return TensorMemory.on(last.device(), here);
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
        }
    }
}
