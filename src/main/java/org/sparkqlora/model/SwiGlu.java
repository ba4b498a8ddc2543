package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.tensor.TensorScope;

/** The gated activation of the feed-forward part (arXiv 2002.05202): {@code y = silu(gate) up}. */
final class SwiGlu {
    private SwiGlu() {}

    static Tensor forward(Tensor gate, Tensor up) {
        return TensorScope.keep(() -> torch.silu(gate).mul_(up));
    }

    static Tensor gateGradient(Tensor outputGradient, Tensor gate, Tensor up) {
        return TensorScope.keep(() -> torch.silu_backward(outputGradient.mul(up), gate));
    }

    static Tensor upGradient(Tensor outputGradient, Tensor gate) {
        return TensorScope.keep(() -> torch.silu(gate).mul_(outputGradient));
    }
}
