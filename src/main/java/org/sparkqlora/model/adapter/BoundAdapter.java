package org.sparkqlora.model.adapter;

import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.tensor.Products;
import org.sparkqlora.tensor.TensorScope;

/**
 * The adapter of one module during one pass, in the number format of activations.
 *
 * @param down A, (rank, inputs)
 * @param up B, (outputs, rank)
 * @param direction DoRA's factors; null without weight decomposition
 * @param dropout of the input; null where nothing is dropped
 */
public record BoundAdapter(
        Tensor down,
        Tensor up,
        double scale,
        @Nullable Direction direction,
        @Nullable ModuleDropout dropout) {
    /**
     * The scaling of each output by weight decomposition.
     *
     * @param factor magnitude / norm, (outputs), in the number format of activations
     * @param norm length of each row of {@code W + scale B A}, (outputs), float32
     */
    public record Direction(Tensor factor, Tensor norm) {}

    /** Dropout of one module's inputs. */
    public record ModuleDropout(Dropout dropout, String module) {}

    /**
     * Intermediate results of an adapter.
     *
     * @param mask what dropout kept; null without dropout
     * @param seen d, the input after dropout
     * @param low A d
     * @param directed {@code W d + scale B A d}; null without weight decomposition
     */
    public record Adapted(
            Dropout.@Nullable Mask mask,
            Tensor seen,
            Tensor low,
            @Nullable Tensor directed) {
        public Stream<Tensor> tensors() {
            return Stream.of(
                            Stream.of(seen, low),
                            Stream.ofNullable(directed),
                            Stream.ofNullable(mask).map(Dropout.Mask::kept))
                    .flatMap(each -> each);
        }

        public Adapted withDirected(Tensor product) {
            return new Adapted(mask, seen, low, product);
        }
    }

    /** @param parameters the trained tensor of each place */
    public static BoundAdapter of(
            LinearPlace.Adapter place,
            Tensor weight,
            Function<Parameter, Tensor> parameters,
            @Nullable Dropout dropout) {
        Tensor down = parameters.apply(place.down());
        Tensor up = parameters.apply(place.up());
        ModuleDropout own =
                dropout == null ? null : new ModuleDropout(dropout, place.down().name());
        if (place.magnitude() == null) {
            return new BoundAdapter(down, up, place.scale(), null, own);
        }

        Tensor norm = rowNorms(weight, down, up, place.scale());
        Tensor factor = parameters.apply(place.magnitude()).div(norm).to(weight.scalar_type());
        return new BoundAdapter(down, up, place.scale(), new Direction(factor, norm), own);
    }

    /** Takes the input down to the rank of the adapter. */
    public Adapted apply(Tensor input) {
        if (dropout == null) {
            return new Adapted(null, input, Products.linear(input, down), null);
        }

        Dropout.Mask mask = dropout.dropout().mask(dropout.module(), input.size(0), input.size(1));
        Tensor seen = mask.apply(input);
        return new Adapted(mask, seen, Products.linear(seen, down), null);
    }

    /** Length of each row of {@code weight + scale up down}, float32. */
    static Tensor rowNorms(Tensor weight, Tensor down, Tensor up, double scale) {
        return TensorScope.keep(() -> {
            Tensor product = Products.mm(up.to(ScalarType.Float), down.to(ScalarType.Float));
            Tensor merged = product.mul_(new Scalar(scale)).add_(weight);
            return merged.square().sum(1).sqrt();
        });
    }
}
