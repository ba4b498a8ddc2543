package org.sparkqlora.model;

import java.util.EnumMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.tensor.ComputeThread;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.ModelConfig;
import org.sparkqlora.weights.Projection;
import org.sparkqlora.weights.ProjectionShape;

/**
 * Where a pass works: a thread, and room for the dequantised weights of one layer, made once and reused: no more than one layer's
 * weights exist in full width at any time. Belongs to one pass at a time.
 */
final class Workspace implements AutoCloseable {
    private final Map<Projection, Tensor> buffers = new EnumMap<>(Projection.class);
    private final ComputeThread thread;
    private final FourBitDequantizer dequantizer;
    private final Hardware hardware;

    Workspace(ModelConfig config, ScalarType type, FourBitDequantizer dequantizer, Hardware hardware) {
        this.dequantizer = dequantizer;
        this.hardware = hardware;
        this.thread = hardware.computeThread();
        for (Projection projection : Projection.of(config)) {
            ProjectionShape shape = ProjectionShape.of(projection, config);
            buffers.put(projection, TensorScope.detached(() -> hardware.empty(type, shape.outputs(), shape.inputs())));
        }
    }

    ComputeThread thread() {
        return thread;
    }

    Hardware hardware() {
        return hardware;
    }

    Tensor materialize(Projection projection, BaseMatrix matrix) {
        Tensor buffer = buffers.get(projection);
        if (buffer == null) {
            throw new IllegalStateException("Cannot dequantise %s: the workspace is closed".formatted(projection));
        }

        return matrix.materialize(buffer, dequantizer);
    }

    @Override
    public void close() {
        buffers.values().forEach(Tensor::releaseReference);
        buffers.clear();
        thread.close();
    }
}
