package org.sparkqlora.model;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.tensor.ComputeThread;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.Projection;
import org.sparkqlora.weights.ProjectionShape;

/**
 * Where a pass works: a thread, and room for the weights of one layer in full width, made at first use and used again: no more than one
 * layer's weights exist so at any time. Belongs to one pass at a time.
 */
final class Workspace implements AutoCloseable {
    /** @param layout of what was last written */
    private record Room(Tensor buffer, List<?> layout) {}

    private final Map<Projection, Room> rooms = new EnumMap<>(Projection.class);
    private final ScalarType type;
    private final ComputeThread thread;
    private final FourBitDequantizer dequantizer;
    private final Hardware hardware;

    Workspace(ScalarType type, FourBitDequantizer dequantizer, Hardware hardware) {
        this.type = type;
        this.dequantizer = dequantizer;
        this.hardware = hardware;
        this.thread = hardware.computeThread();
    }

    ComputeThread thread() {
        return thread;
    }

    Hardware hardware() {
        return hardware;
    }

    /** A weight in full width. */
    Tensor materialize(Projection projection, ProjectionShape shape, BaseMatrix weight) {
        Tensor room = matrix(projection, shape.outputs(), shape.inputs(), List.of(shape));
        return weight.materialize(room, dequantizer);
    }

    /** Writes a weight in full width to {@code target}, in which there may be gaps between rows. */
    void materialize(BaseMatrix weight, Tensor target) {
        Tensor made = weight.materialize(target, dequantizer);
        if (made != target) {
            target.copy_(made);
        }
    }

    /**
     * Room for what begins with the weight of {@code first}. What the last caller of the same {@code layout} wrote is still there; for
     * another layout there are zeros.
     *
     * @param layout what lies where in the matrix
     */
    Tensor matrix(Projection first, long rows, long columns, List<?> layout) {
        long size = rows * columns;
        Room room = rooms.get(first);
        if (room == null || room.buffer().numel() < size) {
            if (room != null) {
                room.buffer().releaseReference();
            }

            room = new Room(TensorScope.detached(() -> hardware.empty(type, size)), List.of());
        }

        Tensor matrix = room.buffer().narrow(0, 0, size).view(rows, columns);
        if (!room.layout().equals(layout)) {
            matrix.zero_();
        }

        rooms.put(first, new Room(room.buffer(), layout));
        return matrix;
    }

    @Override
    public void close() {
        rooms.values().forEach(room -> room.buffer().releaseReference());
        rooms.clear();
        thread.close();
    }
}
