package org.sparkqlora.model;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/** The second part of a decoder layer, which changes each token by itself, its weights in hand. */
sealed interface FeedForward permits FeedForwardBlock, ExpertsBlock {
    /** Intermediate results of the forward pass that the gradient needs. */
    sealed interface Tape permits FeedForwardBlock.Tape, ExpertsBlock.Tape {
        /** All tensors but the input. */
        Stream<Tensor> tensors();
    }

    /** The stream after the part, and what the gradient needs. */
    record Recorded(Tensor result, Tape tape) {}

    /** The stream after the part. */
    Tensor forward(Tensor input);

    Recorded record(Tensor input);

    /** The gradient of the input, what it needs computed again; the output is spared where nothing looks at it. */
    Tensor recomputedBackward(Tensor resultGradient, Tensor input, GradientAccumulator gradients);

    /** The gradient of the input; {@code tape} is one that this kind of part recorded. */
    Tensor backward(Tensor resultGradient, Tape tape, GradientAccumulator gradients);
}
