package org.sparkqlora.model;

import java.util.function.LongFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The connection of a part of a layer to the residual stream: {@code y = x + m after(part(before(x)))}. A family has one of the two
 * norms or
 * both.
 */
record ResidualBranch(
        @Nullable Normalization before, @Nullable Normalization after, double multiplier) {

    /** The input of the part, in {@code buffer} where it is a tensor of its own. */
    Tensor enter(Tensor stream, LongFunction<Tensor> buffer) {
        return before == null ? stream : before.forward(stream, buffer);
    }

    /** The stream after the part, whose output is {@code made}. */
    Tensor leave(Tensor stream, Tensor made) {
        Tensor normalized = after == null ? made : after.forward(made);
        return stream.add(normalized, new Scalar(multiplier));
    }

    /**
     * The gradient of what the part made, given that of the stream behind it.
     *
     * @param made may be null where {@link #needsOutput} says so
     */
    Tensor throughLeave(Tensor streamGradient, @Nullable Tensor made, GradientAccumulator gradients) {
        Tensor scaled = multiplier == 1 ? streamGradient : streamGradient.mul(new Scalar(multiplier));
        return after == null || made == null ? scaled : after.backward(scaled, made, gradients);
    }

    /** The gradient of the stream before the part, given that of what the part got and that of the stream behind it. */
    Tensor throughEnter(Tensor enteredGradient, Tensor stream, Tensor streamGradient, GradientAccumulator gradients) {
        return before == null
                ? enteredGradient.add(streamGradient)
                : before.backwardOnto(streamGradient, enteredGradient, stream, gradients);
    }

    /** Whether {@link #throughLeave} looks at what the part made. */
    boolean needsOutput() {
        return after != null;
    }
}
