package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.tensor.TensorScope;

/** The second half of a decoder layer: {@code y = x + down(silu(gate(n)) up(n))}, n being the normalised x. */
record FeedForwardBlock(Normalization norm, LinearPass gate, LinearPass up, LinearPass down) {
    Tensor forward(Tensor input) {
        return TensorScope.keep(() -> {
            Tensor normalized = norm.forward(input);
            Tensor active = SwiGlu.forward(
                    gate.apply(normalized).output(), up.apply(normalized).output());
            return down.apply(active).output().add_(input);
        });
    }

    /** Recomputes what the gradient needs, and returns the gradient of the input. */
    Tensor backward(Tensor resultGradient, Tensor input, GradientSum gradients) {
        return TensorScope.keep(() -> {
            Tensor normalized = norm.forward(input);
            LinearPass.Recorded gated = gate.apply(normalized);
            LinearPass.Recorded raised = up.apply(normalized);
            LinearPass.Tape lowered = down.tape(SwiGlu.forward(gated.output(), raised.output()));
            Tensor dActive = down.backward(resultGradient, lowered, gradients);
            Tensor dGate = SwiGlu.gateGradient(dActive, gated.output(), raised.output());
            Tensor dUp = SwiGlu.upGradient(dActive, gated.output());
            Tensor dNormalized = gate.backward(dGate, gated.tape(), gradients);
            dNormalized.add_(up.backward(dUp, raised.tape(), gradients));
            return norm.backward(dNormalized, input, gradients).add_(resultGradient);
        });
    }
}
