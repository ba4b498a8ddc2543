package org.sparkqlora.model.elementwise;

import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.GateClamp;

/**
 * The bounded gate of gpt-oss, {@code y = (u + 1) g s}, {@code s = sigmoid(alpha g)}, of the gate cut above, g, and of what passes it cut on
 * both sides, u; in float32 by libtorch. Gradients: {@code du = dy g s} and {@code dg = dy (u + 1) s (1 + alpha g (1 - s))}, and 0 where a
 * number was cut.
 */
public record ClampedGate(GateClamp clamp) implements Gate {
    private static final Scalar ONE = new Scalar(1.0).retainReference();

    @Override
    public Tensor forward(Tensor gate, Tensor up, LongFunction<Tensor> buffer) {
        return TensorScope.keep(() -> {
            Tensor g = cutGate(gate);
            return sigmoid(g).mul_(g).mul_(cutUp(up).add_(ONE)).to(gate.scalar_type());
        });
    }

    @Override
    public List<Tensor> backward(Tensor outputGradient, Tensor gate, Tensor up, LongFunction<List<Tensor>> buffer) {
        return TensorScope.keepAll(() -> throughGate(outputGradient, gate, up), gradients -> gradients);
    }

    private List<Tensor> throughGate(Tensor outputGradient, Tensor gate, Tensor up) {
        Tensor given = outputGradient.to(ScalarType.Float);
        Tensor g = cutGate(gate);
        Tensor s = sigmoid(g);
        Tensor dUp = g.mul(s).mul_(given).mul_(up.abs().le(limit(1)));
        Tensor slope = s.neg()
                .add_(ONE)
                .mul_(g)
                .mul_(new Scalar(clamp.alpha()))
                .add_(ONE)
                .mul_(s);
        Tensor dGate = slope.mul_(cutUp(up).add_(ONE)).mul_(given).mul_(gate.le(limit(1)));
        return List.of(dGate.to(gate.scalar_type()), dUp.to(up.scalar_type()));
    }

    private Tensor cutGate(Tensor gate) {
        return gate.to(ScalarType.Float).clamp_max(limit(1));
    }

    private Tensor cutUp(Tensor up) {
        return up.to(ScalarType.Float).clamp(new ScalarOptional(limit(-1)), new ScalarOptional(limit(1)));
    }

    private Tensor sigmoid(Tensor g) {
        return g.mul(new Scalar(clamp.alpha())).sigmoid_();
    }

    private Scalar limit(int sign) {
        return new Scalar(sign * clamp.limit());
    }
}
