package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.tensor.TensorScope;

/** One decoder layer during one pass, its weights in hand. */
record LayerPass(AttentionBlock attention, FeedForwardBlock feedForward, PassContext.Layer context) {
    /** Maps the residual stream (T, hidden) to that of the next layer. */
    Tensor forward(Tensor input) {
        return feedForward.forward(attended(input));
    }

    /** Recomputes the layer from its input, and returns the gradient of that input. */
    Tensor backward(Tensor resultGradient, Tensor input, GradientSum gradients) {
        return TensorScope.keep(() -> {
            AttentionBlock.Tape tape = attention.record(input, context);
            Tensor middleGradient = feedForward.backward(resultGradient, tape.result(), gradients);
            return attention.backward(middleGradient, tape, context, gradients);
        });
    }

    private Tensor attended(Tensor input) {
        return TensorScope.keep(() -> attention.record(input, context).result());
    }
}
