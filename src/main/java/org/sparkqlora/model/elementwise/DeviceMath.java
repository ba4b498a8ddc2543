package org.sparkqlora.model.elementwise;

import java.util.List;
import java.util.OptionalInt;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.family.Activation;

/**
 * The operations between products by libtorch, for devices whose memory Java cannot access. Formulas are those of the classes
 * that call; all in float32, and back in the number format of the input. Leaves its temporaries to the surrounding scope.
 */
public final class DeviceMath {
    private DeviceMath() {}

    /** {@code x r}, float32. */
    public static Tensor normalized(Tensor input, double epsilon) {
        Tensor x = input.to(ScalarType.Float);
        return x.mul(inverseRoot(x, epsilon));
    }

    /** {@code r e - x r^3 mean(e x)}, {@code e = dy w}. */
    public static Tensor throughNorm(Tensor outputGradient, Tensor input, Tensor weight, double epsilon) {
        Tensor x = input.to(ScalarType.Float);
        Tensor r = inverseRoot(x, epsilon);
        Tensor e = outputGradient.to(ScalarType.Float).mul(weight);
        Tensor mean = meanOfRows(e.mul(x));
        return e.mul(r).sub(x.mul(r.pow(new Scalar(3.0)).mul(mean))).to(input.scalar_type());
    }

    /** {@code f(gate) up}. */
    public static Tensor gated(Activation function, Tensor gate, Tensor up) {
        return activated(function, gate.to(ScalarType.Float)).mul_(up).to(gate.scalar_type());
    }

    /** The gradients of gate and up. */
    public static List<Tensor> throughGated(Activation function, Tensor outputGradient, Tensor gate, Tensor up) {
        Tensor x = gate.to(ScalarType.Float);
        Tensor given = outputGradient.to(ScalarType.Float);
        Tensor dUp = activated(function, x).mul_(given).to(up.scalar_type());
        Tensor dActive = given.mul(up);
        Tensor dGate = switch (function) {
            case SILU -> torch.silu_backward(dActive, x);
            case GELU_TANH -> torch.gelu_backward(dActive, x, "tanh");
        };
        return List.of(dGate.to(gate.scalar_type()), dUp);
    }

    /**
     * Turns (tokens, heads, head size), of which the elements behind those that the tables reach stay.
     *
     * @param cosine (tokens, 1, width / 2)
     * @param sine the same, of opposite sign to turn back
     */
    public static Tensor turned(Tensor input, Tensor cosine, Tensor sine) {
        long half = cosine.size(2);
        Tensor row = input.to(ScalarType.Float);
        Tensor x = row.narrow(2, 0, half);
        Tensor y = row.narrow(2, half, half);
        TensorVector parts =
                new TensorVector(x.mul(cosine).sub(y.mul(sine)), y.mul(cosine).add(x.mul(sine)));
        parts.push_back(row.narrow(2, 2 * half, input.size(2) - 2 * half));
        return torch.cat(parts, 2).to(input.scalar_type());
    }

    /**
     * Which keys each query of a block sees: (queries, keys).
     *
     * @param like of the device
     * @param firstEnd behind the last key that the first query sees
     */
    public static Tensor visible(Tensor like, long queries, long keys, long firstEnd, OptionalInt window) {
        TensorOptions longs = new TensorOptions(ScalarType.Long).device(new DeviceOptional(like.device()));
        Tensor key = torch.arange(new Scalar(keys), longs);
        Tensor end = torch.arange(new Scalar(firstEnd), new Scalar(firstEnd + queries), longs)
                .unsqueeze(1);
        Tensor before = key.lt(end);
        return window.isPresent() ? before.logical_and_(key.ge(end.sub(new Scalar(window.getAsInt())))) : before;
    }

    /**
     * Turns scores, (groups, rows, keys), into {@code softmax(factor score)} of what is visible, in place.
     *
     * @param sinks a score more a head, (heads), whose probability is dropped; null without
     */
    public static Tensor softmax(Tensor scores, double factor, Tensor visible, @Nullable Tensor sinks) {
        Tensor scaled = scores.view(-1, visible.size(0), visible.size(1))
                .to(ScalarType.Float)
                .mul(new Scalar(factor))
                .masked_fill_(visible.logical_not(), new Scalar(Double.NEGATIVE_INFINITY));
        Tensor joined = sinks == null ? scaled : withSinks(scaled, sinks);
        return scores.copy_(
                torch.softmax(joined, -1).narrow(2, 0, scaled.size(2)).reshape(scores.sizes()));
    }

    private static Tensor withSinks(Tensor scaled, Tensor sinks) {
        Tensor column = sinks.view(-1, 1, 1).expand(new long[] {scaled.size(0), scaled.size(1), 1}, false);
        return torch.cat(new TensorVector(scaled, column), 2);
    }

    /** Gradients of probabilities become those of products, in place: {@code s P (dP - rowsum(P dP))}. */
    public static Tensor throughSoftmax(Tensor gradients, Tensor probability, double scale) {
        Tensor p = probability.to(ScalarType.Float);
        Tensor products = p.mul(gradients);
        Tensor sums = products.sum(new long[] {-1}, true, new ScalarTypeOptional());
        return gradients.copy_(products.sub_(p.mul(sums)).mul_(new Scalar(scale)));
    }

    private static Tensor activated(Activation function, Tensor x) {
        return switch (function) {
            case SILU -> torch.silu(x);
            case GELU_TANH -> torch.gelu(x, "tanh");
        };
    }

    /** {@code r = 1 / sqrt(mean(x^2) + epsilon)} of each row. */
    private static Tensor inverseRoot(Tensor x, double epsilon) {
        return meanOfRows(x.square()).add_(new Scalar(epsilon)).rsqrt_();
    }

    private static Tensor meanOfRows(Tensor x) {
        return x.mean(new long[] {-1}, true, new ScalarTypeOptional());
    }
}
