package org.sparkqlora.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.tensor.TensorScope;

/** The second part of a decoder layer: {@code down(f(gate(x)) up(x))}. */
record FeedForwardBlock(ResidualBranch branch, SharedInput gateUp, LinearPass down, GatedActivation activation) {
    Tensor forward(Tensor input) {
        return TensorScope.keep(() -> {
            List<Tensor> gated = gateUp.apply(branch.enter(input)).outputs();
            Tensor active = activation.forward(gated.get(0), gated.get(1));
            return branch.leave(input, down.apply(active).output());
        });
    }

    /** Recomputes what the gradient needs, and returns the gradient of the input. */
    Tensor backward(Tensor resultGradient, Tensor input, GradientSum gradients) {
        return TensorScope.keep(() -> {
            SharedInput.Recorded gated = gateUp.apply(branch.enter(input));
            Tensor gate = gated.outputs().get(0);
            Tensor up = gated.outputs().get(1);
            Tensor active = activation.forward(gate, up);
            Tensor dEntered = gateUp.backward(
                    activation.backward(throughDown(resultGradient, active, gradients), gate, up),
                    gated.tapes(),
                    gradients);
            return branch.throughEnter(dEntered, input, resultGradient, gradients);
        });
    }

    private Tensor throughDown(Tensor resultGradient, Tensor active, GradientSum gradients) {
        if (!branch.needsOutput()) {
            // The output is spared where nothing looks at it.
            Tensor dMade = branch.throughLeave(resultGradient, active, gradients);
            return down.backward(dMade, down.tape(active), gradients);
        }

        LinearPass.Recorded made = down.apply(active);
        return down.backward(branch.throughLeave(resultGradient, made.output(), gradients), made.tape(), gradients);
    }
}
