package org.sparkqlora.model;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.tensor.TensorScope;

/** One decoder layer during one pass, its weights in hand. */
record LayerPass(TokenMixer mixer, FeedForwardBlock feedForward, PassContext.Layer context) {
    /** Intermediate results of the forward pass that the gradient needs. */
    record Tape(TokenMixer.Tape mixed, FeedForwardBlock.Tape feedForward) {}

    /** The layer's output and its tape. */
    record Recorded(Tensor result, Tape tape) {
        /** All tensors but the layer's input; some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.of(
                            Stream.of(result),
                            tape.mixed().tensors(),
                            tape.feedForward().tensors())
                    .flatMap(each -> each);
        }
    }

    /** Maps the residual stream (T, hidden) to that of the next layer. */
    Tensor forward(Tensor input) {
        Tensor mixed = mixer.forward(input, context);
        return feedForward.forward(mixed);
    }

    /** As {@link #forward}, keeping what the gradient needs but for what {@code recompute} says. */
    Recorded record(Tensor input, Recompute recompute) {
        TokenMixer.Tape mixed = mixer.record(input, context, recompute != Recompute.ATTENTION);
        FeedForwardBlock.Recorded made = feedForward.record(mixed.result());
        return new Recorded(made.result(), new Tape(mixed, made.tape()));
    }

    /** The gradient of the layer's input. */
    Tensor backward(Tensor resultGradient, Tape tape, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tensor middleGradient =
                    TensorScope.keep(() -> feedForward.backward(resultGradient, tape.feedForward(), gradients));
            return mixer.backward(middleGradient, tape.mixed(), context, gradients);
        });
    }

    /** As {@link #backward}, with the layer computed again from its input. */
    Tensor recomputedBackward(Tensor resultGradient, Tensor input, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            TokenMixer.Tape tape = mixer.record(input, context, true);
            Tensor middleGradient = feedForward.recomputedBackward(resultGradient, tape.result(), gradients);
            return mixer.backward(middleGradient, tape, context, gradients);
        });
    }
}
