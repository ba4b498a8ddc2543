package org.sparkqlora.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/** The weight buffers and threads of a pass. */
record Workspace(WeightBuffers buffers, ComputeThreads threads) {
    Hardware hardware() {
        return threads.hardware();
    }

    /** A weight in full width. */
    Tensor materialize(Projection projection, ProjectionShape shape, BaseMatrix weight) {
        Tensor buffer = matrix(projection, shape.outputs(), shape.inputs(), List.of(shape));
        return weight.materialize(buffer, threads.dequantizer());
    }

    /** Writes a weight in full width to {@code target}, in which there may be gaps between rows. */
    void materialize(BaseMatrix weight, Tensor target) {
        Tensor made = weight.materialize(target, threads.dequantizer());
        if (made != target) {
            target.copy_(made);
        }
    }

    /** See {@link WeightBuffers#matrix}. */
    Tensor matrix(Projection first, long rows, long columns, List<?> layout) {
        return buffers.matrix(first, rows, columns, layout);
    }
}
