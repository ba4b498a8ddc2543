package org.sparkqlora.model.shared;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.Projection;

/**
 * Room for the weights of one layer in full width, made at first use and used again. Belongs to one pass at a time, or to passes that open
 * layers in turns.
 */
public final class WeightBuffers implements AutoCloseable {
    /** @param layout of what was last written */
    private record Filled(Tensor buffer, List<?> layout) {}

    private final Map<Projection, Filled> filledBuffers = new EnumMap<>(Projection.class);
    private final ScalarType type;
    private final Hardware hardware;

    public WeightBuffers(ScalarType type, Hardware hardware) {
        this.type = type;
        this.hardware = hardware;
    }

    /**
     * Room for what begins with the weight of {@code first}. What the last caller of the same {@code layout} wrote is still there; for
     * another layout there are zeros.
     *
     * @param layout what lies where in the matrix
     */
    public synchronized Tensor matrix(Projection first, long rows, long columns, List<?> layout) {
        long size = rows * columns;
        Filled filled = filledBuffers.get(first);
        if (filled == null || filled.buffer().numel() < size) {
            if (filled != null) {
                filled.buffer().releaseReference();
            }

            filled = new Filled(TensorScope.detached(() -> hardware.empty(type, size)), List.of());
        }

        Tensor matrix = filled.buffer().narrow(0, 0, size).view(rows, columns);
        if (!filled.layout().equals(layout)) {
            matrix.zero_();
        }

        filledBuffers.put(first, new Filled(filled.buffer(), layout));
        return matrix;
    }

    @Override
    public void close() {
        filledBuffers.values().forEach(filled -> filled.buffer().releaseReference());
        filledBuffers.clear();
    }
}
