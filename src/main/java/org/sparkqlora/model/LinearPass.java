package org.sparkqlora.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * One linear module during one pass, its weight in hand: {@code y = W x + scale B (A x) + bias} (LoRA, arXiv 2106.09685), or,
 * with weight decomposition (DoRA, arXiv 2402.09353), {@code y = c (W x + scale B (A x)) + bias, c = magnitude / norm}, where
 * norm, the length of each row of {@code W + scale B A}, counts as a constant.
 *
 * @param weight W, (outputs, inputs)
 * @param adapter A, B and the rest; null when the module carries no adapter
 */
record LinearPass(
        Tensor weight,
        @Nullable Tensor bias,
        LinearPlace place,
        @Nullable BoundAdapter adapter) {
    /** What the gradient of a module needs of its forward pass; {@code low} is A x, {@code directed} is y / c without bias. */
    record Tape(
            Tensor input, @Nullable Tensor low, @Nullable Tensor directed) {}

    /** An output, (tokens, outputs), and what its gradient needs. */
    record Recorded(Tensor output, Tape tape) {}

    /** Applies the module to (tokens, inputs). */
    Recorded apply(Tensor input) {
        if (adapter == null) {
            return new Recorded(linear(input, weight, bias), new Tape(input, null, null));
        }

        Tensor low = torch.linear(input, adapter.down());
        BoundAdapter.Direction direction = adapter.direction();
        Tensor output = linear(input, weight, direction == null ? bias : null);
        output.addmm_(low, adapter.up().t(), ONE, new Scalar(adapter.scale()));
        if (direction == null) {
            return new Recorded(output, new Tape(input, low, null));
        }

        Tensor scaled = output.mul(direction.factor());
        return new Recorded(bias == null ? scaled : scaled.add_(bias), new Tape(input, low, output));
    }

    /** What the gradient needs, without the output where it can be spared. */
    Tape tape(Tensor input) {
        if (adapter == null) {
            return new Tape(input, null, null);
        }

        return adapter.direction() == null
                ? new Tape(input, torch.linear(input, adapter.down()), null)
                : apply(input).tape();
    }

    /** Adds the gradients of what trains here, and returns the gradient of the input. */
    Tensor backward(Tensor outputGradient, Tape tape, GradientSum gradients) {
        addBaseGradients(outputGradient, tape, gradients);
        AdapterPlace adapterPlace = place.adapter();
        if (adapter == null || adapterPlace == null || tape.low() == null) {
            return torch.mm(outputGradient, weight);
        }

        Tensor directed = throughDirection(outputGradient, tape, adapterPlace, gradients);
        Tensor low = torch.mm(directed, adapter.up()).mul_(new Scalar(adapter.scale()));
        gradients.add(adapterPlace.up(), torch.mm(directed.t(), tape.low()).mul_(new Scalar(adapter.scale())));
        gradients.add(adapterPlace.down(), torch.mm(low.t(), tape.input()));
        return torch.mm(directed, weight).addmm_(low, adapter.down());
    }

    private void addBaseGradients(Tensor outputGradient, Tape tape, GradientSum gradients) {
        if (place.weight() != null) {
            gradients.add(place.weight(), torch.mm(outputGradient.t(), tape.input()));
        }

        if (place.bias() != null) {
            gradients.add(place.bias(), outputGradient.to(ScalarType.Float).sum(0));
        }
    }

    private Tensor throughDirection(Tensor outputGradient, Tape tape, AdapterPlace at, GradientSum gradients) {
        BoundAdapter.Direction direction = adapter == null ? null : adapter.direction();
        if (direction == null || at.magnitude() == null || tape.directed() == null) {
            return outputGradient;
        }

        Tensor product = outputGradient.to(ScalarType.Float).mul(tape.directed().to(ScalarType.Float));
        gradients.add(at.magnitude(), product.sum(0).div_(direction.norm()));
        return outputGradient.mul(direction.factor());
    }

    private static Tensor linear(Tensor input, Tensor weight, @Nullable Tensor bias) {
        return bias == null ? torch.linear(input, weight) : torch.linear(input, weight, new TensorOptional(bias));
    }

    private static final Scalar ONE = new Scalar(1.0).retainReference();
}
