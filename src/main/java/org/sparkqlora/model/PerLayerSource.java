package org.sparkqlora.model;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.shared.LayerInputs;
import org.sparkqlora.model.shared.StoredRows;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * Makes the inputs of all layers: {@code (norm(projection(x) / sqrt(hidden)) + sqrt(width) embedding(token)) / sqrt(2)}, x being the embedded
 * tokens, which the first layer gets.
 *
 * @param embedding of the tokens, for all layers at once
 * @param norm over the part of each layer
 * @param scale on what the projection makes, {@code 1 / sqrt(hidden)}
 */
record PerLayerSource(LinearGroup projection, Normalization norm, Embedding embedding, double scale) {
    private static final double SHARE = Math.sqrt(0.5);

    /**
     * Intermediate results that the gradient needs.
     *
     * @param scaled what the norm got, (tokens layers, width)
     */
    record Tape(List<LinearPass.Tape> projection, Tensor scaled) {
        Stream<Tensor> tensors() {
            return Stream.concat(projection.stream().flatMap(LinearPass.Tape::tensors), Stream.of(scaled));
        }
    }

    void forward(Tensor embedded, DocumentBatch batch, LayerInputs inputs) {
        TensorScope.run(() -> record(embedded, batch, inputs));
    }

    /** Makes the inputs, unless they are made; what their gradient needs is returned. */
    Tape record(Tensor embedded, DocumentBatch batch, LayerInputs inputs) {
        long tokens = embedded.size(0);
        // a copy, which is freed with the tape: the embedded tokens are the layer's
        LinearGroup.Recorded projected =
                projection.apply(projection.buffer(tokens).copy_(embedded));
        Tensor scaled =
                projected.outputs().get(0).mul(new Scalar(scale)).contiguous().view(-1, norm.width());
        if (!inputs.areMade()) {
            TensorScope.run(() -> {
                Tensor rows = embedding.rows(batch.ids()).view(-1, norm.width());
                Tensor both = norm.forward(scaled).add(rows).mul_(new Scalar(SHARE));
                inputs.put(both.view(tokens, -1, norm.width()));
            });
        }

        return new Tape(projected.tapes(), scaled);
    }

    /** The part of the gradient of the embedded tokens that came through the layers' inputs. */
    Tensor backward(Tape tape, DocumentBatch batch, LayerInputs inputs, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tensor given = inputs.gradients().mul(new Scalar(SHARE));
            long tokens = given.size(0);
            embedding.addGradient(batch.ids(), given.view(tokens, -1), gradients);
            Tensor dScaled = norm.backward(given.view(-1, norm.width()), tape.scaled(), gradients);
            Tensor dProjected = dScaled.view(tokens, -1);
            return projection.backwardOf(dProjected.mul(new Scalar(scale)), tape.projection(), gradients);
        });
    }

    /**
     * The tensors that it is made of, between passes.
     *
     * @param rows of the embedding; null where it trains
     * @param place of the embedding in the flat vector; null where it is frozen
     * @param factor on its rows
     * @param norm over what the projection makes for one layer
     */
    record Table(@Nullable StoredRows rows, @Nullable Parameter place, double factor, DecoderLayer.SmallWeight norm) {
        Embedding embedding(BoundParameters parameters, Hardware hardware) {
            return new Embedding(rows, place == null ? null : parameters.of(place), place, factor, hardware);
        }
    }

    /**
     * The embedding of tokens for all layers at once, multiplied by a factor: frozen rows, or a matrix that trains.
     *
     * @param frozen null where it trains
     * @param trained null where it is frozen
     * @param place where what trains lies in the flat vector
     */
    record Embedding(
            @Nullable StoredRows frozen,
            @Nullable Tensor trained,
            @Nullable Parameter place,
            double factor,
            Hardware hardware) {

        /** Of each token, (tokens, layers width). */
        private Tensor rows(int[] ids) {
            return TensorScope.keep(() -> {
                Tensor rows = frozen != null ? frozen.of(ids) : torch.embedding(matrix(), places(ids));
                return rows.mul(new Scalar(factor));
            });
        }

        /** @param gradient of what {@link #rows} gave */
        private void addGradient(int[] ids, Tensor gradient, GradientAccumulator gradients) {
            if (place != null) {
                TensorScope.run(() -> {
                    Tensor sum = hardware.zeros(ScalarType.Float, place.shape());
                    Tensor given = gradient.to(ScalarType.Float);
                    gradients.add(place, sum.index_add_(0, places(ids), given).mul_(new Scalar(factor)));
                });
            }
        }

        private Tensor matrix() {
            if (trained == null) {
                throw new IllegalStateException("Cannot look up an embedding that is neither frozen nor trained");
            }

            return trained;
        }

        private Tensor places(int[] ids) {
            return hardware.on(
                    TensorMemory.longs(Arrays.stream(ids).asLongStream().toArray()));
        }
    }
}
