package org.sparkqlora.model;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.model.elementwise.GatedActivation;
import org.sparkqlora.model.shared.LayerInputs;
import org.sparkqlora.tensor.TensorScope;

/**
 * The third part of a decoder layer that has an embedding of its own: {@code y = x + norm(output(f(gate(x)) input))}, input being the layer's
 * part of {@link LayerInputs}.
 */
record PerLayerBlock(
        ResidualBranch branch, LinearGroup gate, LinearGroup output, GatedActivation activation, int layer) {

    /**
     * Intermediate results of the forward pass that the gradient needs.
     *
     * @param made output of the part
     */
    record Tape(LinearGroup.Recorded gated, List<LinearPass.Tape> output, Tensor made) {
        Stream<Tensor> tensors() {
            return Stream.of(gated.tensors(), output.stream().flatMap(LinearPass.Tape::tensors), Stream.of(made))
                    .flatMap(each -> each);
        }
    }

    /** The stream after the part, and what the gradient needs. */
    record Recorded(Tensor result, Tape tape) {}

    /** The stream after the part. */
    Tensor forward(Tensor stream, LayerInputs inputs) {
        return TensorScope.keep(() -> record(stream, inputs).result());
    }

    Recorded record(Tensor stream, LayerInputs inputs) {
        // a copy, which is freed with the tape: the stream is another's
        LinearGroup.Recorded gated = gate.apply(gate.buffer(stream.size(0)).copy_(stream));
        Tensor active = activation.forward(gated.outputs().get(0), inputs.of(layer), output::buffer);
        LinearGroup.Recorded projected = output.apply(active);
        Tensor made = projected.outputs().get(0);
        return new Recorded(branch.leave(stream, made), new Tape(gated, projected.tapes(), made));
    }

    /** The gradient of the stream before the part; that of the layer's own input goes to {@code inputs}. */
    Tensor backward(Tensor resultGradient, Tape tape, LayerInputs inputs, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tensor dActive = output.backwardOf(
                    branch.throughLeave(resultGradient, tape.made(), gradients), tape.output(), gradients);
            List<Tensor> dGated = activation.backward(
                    dActive,
                    tape.gated().outputs().get(0),
                    inputs.of(layer),
                    tokens -> List.of(
                            gate.gradientBuffers(tokens).get(0),
                            torch.empty(new long[] {tokens, dActive.size(1)}, dActive.options(), null)));
            inputs.putGradient(layer, dGated.get(1));
            Tensor dEntered = gate.backward(List.of(dGated.get(0)), tape.gated().tapes(), gradients);
            return dEntered.add(resultGradient);
        });
    }
}
