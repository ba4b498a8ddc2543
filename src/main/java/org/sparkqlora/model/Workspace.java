package org.sparkqlora.model;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * The weight buffers and threads of a pass.
 *
 * @param writer writes the weights of a layer to the buffers
 * @param turns in which passes open layers
 */
record Workspace(WeightBuffers buffers, ComputeThreads threads, Writer writer, Turns turns) {
    /** The workspace of a pass that opens layers when it likes. */
    Workspace(WeightBuffers buffers, ComputeThreads threads) {
        this(buffers, threads, new Writing(threads.dequantizer()), (weights, own, opening) -> opening.apply(own));
    }

    /**
     * The weights of a layer with those that train at one version: equal ones fill buffers alike.
     *
     * @param drops whether adapters drop of their inputs, which are then computed apart from the layer's weights
     */
    record LayerWeights(int layer, BoundParameters parameters, boolean drops) {}

    /** Opens a layer by {@code opening}, in a workspace with room for its weights. */
    interface Turns {
        LayerPass open(LayerWeights weights, Workspace own, Function<Workspace, LayerPass> opening);
    }

    /** Fills buffers with weights. */
    sealed interface Writer {
        /** See {@link BaseMatrix#materialize}. */
        Tensor materialize(BaseMatrix weight, Tensor buffer);

        /** Writes a weight to {@code target}, in which there may be gaps between rows. */
        default void write(BaseMatrix weight, Tensor target) {
            Tensor made = materialize(weight, target);
            if (made != target) {
                target.copy_(made);
            }
        }

        void fill(Runnable writing);
    }

    /** Writes. */
    record Writing(FourBitDequantizer dequantizer) implements Writer {
        @Override
        public Tensor materialize(BaseMatrix weight, Tensor buffer) {
            return weight.materialize(buffer, dequantizer);
        }

        @Override
        public void fill(Runnable writing) {
            writing.run();
        }
    }

    /** Finds in the buffers what another pass wrote for the same layer. */
    record Written() implements Writer {
        @Override
        public Tensor materialize(BaseMatrix weight, Tensor buffer) {
            return weight.materialized(buffer);
        }

        @Override
        public void fill(Runnable writing) {}
    }

    /** Finds the weights of the base in the buffers, and writes what trains beside them. */
    record TrainedOnly() implements Writer {
        @Override
        public Tensor materialize(BaseMatrix weight, Tensor buffer) {
            return weight.materialized(buffer);
        }

        @Override
        public void write(BaseMatrix weight, Tensor target) {}

        @Override
        public void fill(Runnable writing) {
            writing.run();
        }
    }

    /** This workspace with weights in other buffers. */
    Workspace with(WeightBuffers others, Writer otherWriter) {
        return new Workspace(others, threads, otherWriter, turns);
    }

    /** This workspace of a pass that opens layers in turns with others. */
    Workspace taking(Turns others) {
        return new Workspace(buffers, threads, writer, others);
    }

    Hardware hardware() {
        return threads.hardware();
    }

    LayerPass open(LayerWeights weights, Function<Workspace, LayerPass> opening) {
        return turns.open(weights, this, opening);
    }

    /** A weight in full width. */
    Tensor materialize(Projection projection, ProjectionShape shape, BaseMatrix weight) {
        Tensor buffer = matrix(projection, shape.outputs(), shape.inputs(), List.of(shape));
        return writer.materialize(weight, buffer);
    }

    /** Writes a weight in full width to {@code target}, in which there may be gaps between rows. */
    void materialize(BaseMatrix weight, Tensor target) {
        writer.write(weight, target);
    }

    /** Runs what writes to matrices of this workspace, unless all is written. */
    void fill(Runnable writing) {
        writer.fill(writing);
    }

    /** See {@link WeightBuffers#matrix}. */
    Tensor matrix(Projection first, long rows, long columns, List<?> layout) {
        return buffers.matrix(first, rows, columns, layout);
    }
}
