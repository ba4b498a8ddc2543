package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.deltanet.DeltaInputs;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.DeltaTensor;

/**
 * Token mixing by the gated delta rule: {@code output(delta net(qkv, z, b, a))}, all four being projections of the part's input. What
 * lies between the projections is computed again for the gradient.
 *
 * @param inputs the projections of queries, keys and values, of the gate, of beta and of the decay
 * @param weights what is used between the projections
 * @param places where those lie in the flat vector; empty where they are frozen
 */
record DeltaNetBlock(
        ResidualBranch branch,
        LinearGroup inputs,
        LinearGroup output,
        Map<DeltaTensor, Tensor> weights,
        Map<DeltaTensor, Parameter> places)
        implements TokenMixer {

    /**
     * The result of the forward pass and the intermediate results that the gradient needs.
     *
     * @param made output of the part; null where nothing reads it
     */
    record Tape(
            Tensor input,
            LinearGroup.Recorded projected,
            List<LinearPass.Tape> output,
            @Nullable Tensor made,
            Tensor result)
            implements TokenMixer.Tape {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(
                            projected.tensors(),
                            output.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.ofNullable(made),
                            Stream.of(result))
                    .flatMap(each -> each);
        }
    }

    @Override
    public Tape record(Tensor input, PassContext.Layer context, boolean keeps) {
        LinearGroup.Recorded projected = inputs.apply(branch.enter(input, inputs::buffer));
        LinearGroup.Recorded mixed = output.apply(mixed(projected, context));
        Tensor made = mixed.outputs().get(0);
        return new Tape(input, projected, mixed.tapes(), branch.needsOutput() ? made : null, branch.leave(input, made));
    }

    @Override
    public Tensor forward(Tensor input, PassContext.Layer context) {
        return TensorScope.keep(() -> {
            Tensor mixed = TensorScope.keep(() -> mixed(inputs.apply(branch.enter(input, inputs::buffer)), context));
            Tensor made = TensorScope.keep(() -> output.apply(mixed).outputs().get(0));
            TensorScope.free(mixed);
            return branch.leave(input, made);
        });
    }

    @Override
    public Tensor backward(
            Tensor resultGradient, TokenMixer.Tape tape, PassContext.Layer context, GradientAccumulator gradients) {
        Tape own = (Tape) tape;
        Tensor dMixed = TensorScope.keep(() ->
                output.backwardOf(branch.throughLeave(resultGradient, own.made(), gradients), own.output(), gradients));
        List<Tensor> dProjected =
                TensorScope.keepAll(() -> throughMixed(dMixed, own.projected(), context, gradients), each -> each);
        TensorScope.free(dMixed);
        Tensor dEntered = TensorScope.keep(
                () -> inputs.backward(dProjected, own.projected().tapes(), gradients));
        dProjected.forEach(TensorScope::free);
        return branch.throughEnter(dEntered, own.input(), resultGradient, gradients);
    }

    private Tensor mixed(LinearGroup.Recorded projected, PassContext.Layer context) {
        return TensorScope.keep(() -> {
            Tensor mixed = context.deltaNet().forward(between(projected), context.states());
            return output.buffer(mixed.size(0)).copy_(mixed);
        });
    }

    /** The gradients of what the projections made. */
    private List<Tensor> throughMixed(
            Tensor outputGradient,
            LinearGroup.Recorded projected,
            PassContext.Layer context,
            GradientAccumulator gradients) {
        int count = places.isEmpty() ? DeltaInputs.PROJECTED : DeltaInputs.PROJECTED + DeltaTensor.values().length;
        List<Tensor> inner = context.deltaNet().backward(between(projected), count, outputGradient);
        for (DeltaTensor tensor : places.keySet()) {
            gradients.add(places.get(tensor), inner.get(DeltaInputs.PROJECTED + tensor.ordinal()));
        }

        List<Tensor> buffers = inputs.gradientBuffers(outputGradient.size(0));
        List<Tensor> placed = new ArrayList<>();
        for (int i = 0; i < buffers.size(); i++) {
            placed.add(buffers.get(i).copy_(inner.get(i)));
        }

        return placed;
    }

    private DeltaInputs between(LinearGroup.Recorded projected) {
        List<Tensor> made = projected.outputs();
        return new DeltaInputs(
                made.get(0),
                made.get(1),
                made.get(2),
                made.get(3),
                weight(DeltaTensor.CONVOLUTION),
                weight(DeltaTensor.TIME_BIAS),
                weight(DeltaTensor.DECAY),
                weight(DeltaTensor.NORM));
    }

    private Tensor weight(DeltaTensor tensor) {
        Tensor weight = weights.get(tensor);
        if (weight == null) {
            throw new IllegalStateException("Cannot mix tokens without %s".formatted(tensor));
        }

        return weight;
    }
}
