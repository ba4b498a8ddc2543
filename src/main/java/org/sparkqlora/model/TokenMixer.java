package org.sparkqlora.model;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/** The first part of a decoder layer, which brings the tokens of a document together, its weights in hand. */
sealed interface TokenMixer permits AttentionBlock, DeltaNetBlock {
    /** The result of the forward pass and what its gradient needs. */
    sealed interface Tape permits AttentionBlock.Tape, DeltaNetBlock.Tape {
        Tensor result();

        /** All tensors but the input; some may come twice. */
        Stream<Tensor> tensors();
    }

    /**
     * The residual stream behind the part, and what its gradient needs.
     *
     * @param keeps whether that is to hold what costs more memory than time, which the gradient computes again otherwise
     */
    Tape record(Tensor input, PassContext.Layer context, boolean keeps);

    /** The residual stream behind the part. */
    Tensor forward(Tensor input, PassContext.Layer context);

    /** The gradient of the input; {@code tape} is one that this kind of mixer recorded. */
    Tensor backward(Tensor resultGradient, Tape tape, PassContext.Layer context, GradientAccumulator gradients);
}
