package org.sparkqlora.model;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.elementwise.GatedActivation;
import org.sparkqlora.tensor.TensorScope;

/** The second part of a decoder layer: {@code down(f(gate(x)) up(x))}. */
record FeedForwardBlock(ResidualBranch branch, LinearGroup gateUp, LinearGroup down, GatedActivation activation)
        implements FeedForward {
    /**
     * Intermediate results of the forward pass that the gradient needs.
     *
     * @param made output of the part; null where nothing reads it
     */
    record Tape(
            Tensor input,
            LinearGroup.Recorded gated,
            List<LinearPass.Tape> down,
            @Nullable Tensor made) implements FeedForward.Tape {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(gated.tensors(), down.stream().flatMap(LinearPass.Tape::tensors), Stream.ofNullable(made))
                    .flatMap(each -> each);
        }
    }

    /** What a step leaves is freed at once, so that the next one finds memory that is still in a cache. */
    @Override
    public Tensor forward(Tensor input) {
        return TensorScope.keep(() -> {
            Tensor active = TensorScope.keep(() -> active(gateUp.apply(branch.enter(input, gateUp::buffer))));
            Tensor made = TensorScope.keep(() -> down.apply(active).outputs().get(0));
            TensorScope.free(active);
            return branch.leave(input, made);
        });
    }

    @Override
    public Recorded record(Tensor input) {
        LinearGroup.Recorded gated = gateUp.apply(branch.enter(input, gateUp::buffer));
        LinearGroup.Recorded downed = down.apply(active(gated));
        Tensor made = downed.outputs().get(0);
        Tensor needed = branch.needsOutput() ? made : null;
        return new Recorded(branch.leave(input, made), new Tape(input, gated, downed.tapes(), needed));
    }

    /** What {@code down} needs is freed before the gradients of gate and up take room. */
    @Override
    public Tensor recomputedBackward(Tensor resultGradient, Tensor input, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            LinearGroup.Recorded gated = gateUp.apply(branch.enter(input, gateUp::buffer));
            Tensor dActive = TensorScope.keep(() -> {
                Tensor active = active(gated);
                if (!branch.needsOutput()) {
                    return throughDown(resultGradient, null, down.tapes(active), gradients);
                }

                LinearGroup.Recorded downed = down.apply(active);
                return throughDown(resultGradient, downed.outputs().get(0), downed.tapes(), gradients);
            });
            return throughGateUp(dActive, gated, input, resultGradient, gradients);
        });
    }

    @Override
    public Tensor backward(Tensor resultGradient, FeedForward.Tape recorded, GradientAccumulator gradients) {
        Tape tape = (Tape) recorded;
        Tensor dActive = TensorScope.keep(() -> throughDown(resultGradient, tape.made(), tape.down(), gradients));
        return throughGateUp(dActive, tape.gated(), tape.input(), resultGradient, gradients);
    }

    private Tensor throughDown(
            Tensor resultGradient, @Nullable Tensor made, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
        return down.backwardOf(branch.throughLeave(resultGradient, made, gradients), tapes, gradients);
    }

    /** Frees {@code dActive}. */
    private Tensor throughGateUp(
            Tensor dActive,
            LinearGroup.Recorded gated,
            Tensor input,
            Tensor resultGradient,
            GradientAccumulator gradients) {
        List<Tensor> outputs = gated.outputs();
        List<Tensor> dGated = TensorScope.keepAll(
                () -> activation.backward(dActive, outputs.get(0), outputs.get(1), gateUp::gradientBuffers),
                each -> each);
        TensorScope.free(dActive);
        Tensor dEntered = TensorScope.keep(() -> gateUp.backward(dGated, gated.tapes(), gradients));
        dGated.forEach(TensorScope::free);
        return branch.throughEnter(dEntered, input, resultGradient, gradients);
    }

    private Tensor active(LinearGroup.Recorded gated) {
        return activation.forward(gated.outputs().get(0), gated.outputs().get(1), down::buffer);
    }
}
