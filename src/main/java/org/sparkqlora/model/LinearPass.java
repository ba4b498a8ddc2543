package org.sparkqlora.model;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.BoundAdapter;
import org.sparkqlora.model.adapter.BoundAdapter.Adapted;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.tensor.Products;

/**
 * One linear module during one pass, its weight in hand: {@code y = W x + scale B (A d) + bias} (LoRA, arXiv 2106.09685), or,
 * with weight decomposition (DoRA, arXiv 2402.09353), {@code y = W (x - d) + c (W d + scale B (A d)) + bias,
 * c = magnitude / norm}, where norm, the length of each row of {@code W + scale B A}, counts as a constant. d is x after dropout, and
 * x itself without.
 *
 * @param weight W, (outputs, inputs)
 * @param adapter A, B and the rest; null when the module carries no adapter
 */
record LinearPass(
        Tensor weight,
        @Nullable Tensor bias,
        LinearPlace place,
        @Nullable BoundAdapter adapter) {
    /**
     * Intermediate results of a module's forward pass that its gradient needs.
     *
     * @param input x
     * @param adapted intermediate results of the adapter; null when there is none
     */
    record Tape(Tensor input, @Nullable Adapted adapted) {
        /** Some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.concat(Stream.of(input), adapted == null ? Stream.empty() : adapted.tensors());
        }
    }

    /** An output, (tokens, outputs), and what its gradient needs. */
    record Recorded(Tensor output, Tape tape) {}

    /** Applies the module to (tokens, inputs). */
    Recorded apply(Tensor input) {
        if (adapter == null) {
            return new Recorded(Products.linear(input, weight, bias), new Tape(input, null));
        }

        Adapted adapted = adapter.apply(input);
        BoundAdapter.Direction direction = adapter.direction();
        if (direction == null) {
            return new Recorded(addAdapter(Products.linear(input, weight, bias), adapted), new Tape(input, adapted));
        }

        Tensor directed = addAdapter(Products.linear(adapted.seen(), weight), adapted);
        Tensor output = directed.mul(direction.factor());
        if (adapted.mask() != null) {
            output.add_(Products.linear(input.sub(adapted.seen()), weight));
        }

        return new Recorded(bias == null ? output : output.add_(bias), new Tape(input, adapted.withDirected(directed)));
    }

    /** The intermediate results that the gradient needs, without the output where it can be spared. */
    Tape tape(Tensor input) {
        if (adapter == null) {
            return new Tape(input, null);
        }

        return adapter.direction() == null
                ? new Tape(input, adapter.apply(input))
                : apply(input).tape();
    }

    /** Adds the gradients of what trains here, and returns the gradient of the input. */
    Tensor backward(Tensor outputGradient, Tape tape, GradientAccumulator gradients) {
        addBaseGradients(outputGradient, tape, gradients);
        Adapted adapted = tape.adapted();
        LinearPlace.Adapter adapterPlace = place.adapter();
        if (adapter == null || adapterPlace == null || adapted == null) {
            return Products.mm(outputGradient, weight);
        }

        Tensor directed = throughDirection(outputGradient, adapted, adapterPlace, gradients);
        Tensor low = throughUp(directed, adapter, adapted, adapterPlace, gradients);
        gradients.add(adapterPlace.down(), Products.mm(low.t(), adapted.seen()));
        if (adapted.mask() == null) {
            return Products.addTo(Products.mm(directed, weight), low, adapter.down(), 1);
        }

        Tensor dSeen = Products.mm(low, adapter.down());
        if (adapter.direction() != null) {
            Products.addTo(dSeen, directed.sub(outputGradient), weight, 1);
        }

        return Products.mm(outputGradient, weight).add_(adapted.mask().apply(dSeen));
    }

    /** Adds the gradient of B, and returns that of {@code A d}. */
    private static Tensor throughUp(
            Tensor directed,
            BoundAdapter adapter,
            Adapted adapted,
            LinearPlace.Adapter at,
            GradientAccumulator gradients) {
        Scalar scale = new Scalar(adapter.scale());
        gradients.add(at.up(), Products.mm(directed.t(), adapted.low()).mul_(scale));
        return Products.mm(directed, adapter.up()).mul_(scale);
    }

    private Tensor addAdapter(Tensor output, Adapted adapted) {
        return adapter == null
                ? output
                : Products.addTo(output, adapted.low(), adapter.up().t(), adapter.scale());
    }

    private void addBaseGradients(Tensor outputGradient, Tape tape, GradientAccumulator gradients) {
        if (place.weight() != null) {
            gradients.add(place.weight(), Products.mm(outputGradient.t(), tape.input()));
        }

        if (place.bias() != null) {
            gradients.add(place.bias(), outputGradient.to(ScalarType.Float).sum(0));
        }
    }

    private Tensor throughDirection(
            Tensor outputGradient, Adapted adapted, LinearPlace.Adapter at, GradientAccumulator gradients) {
        BoundAdapter.Direction direction = adapter == null ? null : adapter.direction();
        if (direction == null || at.magnitude() == null || adapted.directed() == null) {
            return outputGradient;
        }

        Tensor product =
                outputGradient.to(ScalarType.Float).mul(adapted.directed().to(ScalarType.Float));
        gradients.add(at.magnitude(), product.sum(0).div_(direction.norm()));
        return outputGradient.mul(direction.factor());
    }
}
