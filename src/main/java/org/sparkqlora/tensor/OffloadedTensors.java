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
        ScratchFile target = file == null ? ScratchFile.create(folder, "activations", 0) : file;
        file = target;
        Device device = tensor.device(); // outlives the scope of the copy
        TensorScope.run(() -> {
            Tensor here = TensorMemory.onHost(tensor).contiguous();
            target.write(end, TensorMemory.bytes(here));
            stack.push(new Offloaded(
                    end, tensor.scalar_type(), tensor.sizes().vec().get(), device));
            end += here.nbytes();
        });
    }

    /** The tensor that was kept last, where it lay; no longer kept. */
    public Tensor pop() {
        ScratchFile source = file;
        if (source == null) {
            throw new IllegalStateException("Cannot bring back a tensor: none was offloaded");
        }

        Offloaded last = stack.pop();
        end = last.at();
        return TensorScope.keep(() -> {
            Tensor here = TensorMemory.empty(last.type(), last.shape());
            source.read(last.at(), TensorMemory.bytes(here));
            return TensorMemory.on(last.device(), here);
        });
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
        }
    }
}
