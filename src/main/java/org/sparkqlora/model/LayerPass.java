package org.sparkqlora.model;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorScope;

/**
 * One decoder layer during one pass, its weights in hand.
 *
 * @param source makes the inputs of single layers; null in all layers but the first of a model that has them
 * @param perLayer the part of such an input; null in a model without them
 * @param scalar factor on the output
 */
record LayerPass(
        TokenMixer mixer,
        FeedForward feedForward,
        @Nullable PerLayerSource source,
        @Nullable PerLayerBlock perLayer,
        double scalar,
        PassContext.Layer context) {
    /** Intermediate results of the forward pass that the gradient needs. */
    record Tape(
            TokenMixer.Tape mixed,
            FeedForward.Tape feedForward,
            PerLayerSource.@Nullable Tape source,
            PerLayerBlock.@Nullable Tape perLayer) {
        private Stream<Tensor> tensors() {
            return Stream.of(
                            mixed.tensors(),
                            feedForward.tensors(),
                            source == null ? Stream.<Tensor>empty() : source.tensors(),
                            perLayer == null ? Stream.<Tensor>empty() : perLayer.tensors())
                    .flatMap(each -> each);
        }
    }

    /** The layer's output and its tape. */
    record Recorded(Tensor result, Tape tape) {
        /** All tensors but the layer's input; some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.concat(Stream.of(result), tape.tensors());
        }
    }

    /** Maps the residual stream (T, hidden) to that of the next layer. */
    Tensor forward(Tensor input) {
        if (source != null) {
            source.forward(input, context.batch(), context.layerInputs());
        }

        Tensor made = feedForward.forward(mixer.forward(input, context));
        return scaled(perLayer == null ? made : perLayer.forward(made, context.layerInputs()));
    }

    /** As {@link #forward}, keeping what the gradient needs but for what {@code recompute} says. */
    Recorded record(Tensor input, Recompute recompute) {
        PerLayerSource.Tape made = source == null ? null : source.record(input, context.batch(), context.layerInputs());
        TokenMixer.Tape mixed = mixer.record(input, context, recompute != Recompute.ATTENTION);
        FeedForward.Recorded fed = feedForward.record(mixed.result());
        if (perLayer == null) {
            return new Recorded(scaled(fed.result()), new Tape(mixed, fed.tape(), made, null));
        }

        PerLayerBlock.Recorded last = perLayer.record(fed.result(), context.layerInputs());
        return new Recorded(scaled(last.result()), new Tape(mixed, fed.tape(), made, last.tape()));
    }

    private Tensor scaled(Tensor result) {
        return scalar == 1 ? result : result.mul_(new Scalar(scalar));
    }

    /** The gradient of the layer's input. */
    Tensor backward(Tensor resultGradient, Tape tape, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tensor middleGradient = TensorScope.keep(() -> feedForward.backward(
                    throughEnd(resultGradient, tape.perLayer(), gradients), tape.feedForward(), gradients));
            Tensor inputGradient = mixer.backward(middleGradient, tape.mixed(), context, gradients);
            return source == null || tape.source() == null
                    ? inputGradient
                    : inputGradient.add(
                            source.backward(tape.source(), context.batch(), context.layerInputs(), gradients));
        });
    }

    /** The gradient of what the feed-forward part made. */
    private Tensor throughEnd(Tensor resultGradient, PerLayerBlock.@Nullable Tape tape, GradientAccumulator gradients) {
        Tensor scaled = scalar == 1 ? resultGradient : resultGradient.mul(new Scalar(scalar));
        return perLayer == null || tape == null
                ? scaled
                : perLayer.backward(scaled, tape, context.layerInputs(), gradients);
    }

    /** As {@link #backward}, with the layer computed again from its input. */
    Tensor recomputedBackward(Tensor resultGradient, Tensor input, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            if (perLayer != null || scalar != 1) {
                return backward(resultGradient, record(input, Recompute.NONE).tape(), gradients);
            }

            TokenMixer.Tape tape = mixer.record(input, context, true);
            Tensor middleGradient = feedForward.recomputedBackward(resultGradient, tape.result(), gradients);
            return mixer.backward(middleGradient, tape, context, gradients);
        });
    }
}
