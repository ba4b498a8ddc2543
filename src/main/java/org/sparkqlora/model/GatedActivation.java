package org.sparkqlora.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.Activation;

/** The gated activation of the feed-forward part (arXiv 2002.05202): {@code y = f(gate) up}. */
record GatedActivation(Activation function) {
    private static final String TANH = "tanh";

    Tensor forward(Tensor gate, Tensor up) {
        return TensorScope.keep(() -> applied(gate).mul_(up));
    }

    /** The gradients of gate and up. */
    List<Tensor> backward(Tensor outputGradient, Tensor gate, Tensor up) {
        Tensor dGate = TensorScope.keep(() -> throughFunction(outputGradient.mul(up), gate));
        Tensor dUp = TensorScope.keep(() -> applied(gate).mul_(outputGradient));
        return List.of(dGate, dUp);
    }

    private Tensor applied(Tensor gate) {
        return switch (function) {
            case SILU -> torch.silu(gate);
            case GELU_TANH -> torch.gelu(gate, TANH);
        };
    }

    private Tensor throughFunction(Tensor gradient, Tensor gate) {
        return switch (function) {
            case SILU -> torch.silu_backward(gradient, gate);
            case GELU_TANH -> torch.gelu_backward(gradient, gate, TANH);
        };
    }
}
