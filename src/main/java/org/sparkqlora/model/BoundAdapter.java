package org.sparkqlora.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorScope;

/**
 * The adapter of one module during one pass, in the number format of activations.
 *
 * @param down A, (rank, inputs)
 * @param up B, (outputs, rank)
 * @param direction DoRA's factors; null without weight decomposition
 */
record BoundAdapter(
        Tensor down, Tensor up, double scale, @Nullable Direction direction) {
    /**
     * How weight decomposition scales each output.
     *
     * @param factor magnitude / norm, (outputs), in the number format of activations
     * @param norm length of each row of {@code W + scale B A}, (outputs), float32
     */
    record Direction(Tensor factor, Tensor norm) {}

    static BoundAdapter of(AdapterPlace place, Tensor weight, BoundParameters parameters) {
        Tensor down = parameters.of(place.down());
        Tensor up = parameters.of(place.up());
        if (place.magnitude() == null) {
            return new BoundAdapter(down, up, place.scale(), null);
        }

        Tensor norm = rowNorms(weight, down, up, place.scale());
        Tensor factor = parameters.of(place.magnitude()).div(norm).to(weight.scalar_type());
        return new BoundAdapter(down, up, place.scale(), new Direction(factor, norm));
    }

    /** Length of each row of {@code weight + scale up down}, float32. */
    static Tensor rowNorms(Tensor weight, Tensor down, Tensor up, double scale) {
        return TensorScope.keep(() -> {
            Tensor product = torch.mm(up.to(ScalarType.Float), down.to(ScalarType.Float));
            Tensor merged = product.mul_(new Scalar(scale)).add_(weight);
            return merged.square().sum(1).sqrt();
        });
    }
}
