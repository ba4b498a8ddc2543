package org.sparkqlora.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorScope;

/**
 * RMS normalisation over the last dimension (arXiv 1910.07467): {@code y = x r w, r = 1 / sqrt(mean(x^2) + epsilon)}.
 *
 * <p>Gradient: with n = x r and e = dy w, {@code dx = r (e - n mean(e n))} and {@code dw = sum(dy n)}. All in float32.
 *
 * @param weight w, or 1 + w in families whose norms count from zero, float32, as wide as the last dimension
 * @param place where w lies in the flat vector; null when it is frozen
 */
record Normalization(Tensor weight, @Nullable Parameter place, double epsilon) {
    private static final long[] LAST = {-1};

    /** How many numbers are normalised together. */
    long width() {
        return weight.size(0);
    }

    /** Normalises {@code input} in float32 and returns it in its own number format. */
    Tensor forward(Tensor input) {
        return TensorScope.keep(() -> {
            Tensor x = input.to(ScalarType.Float);
            return x.mul(inverseRoot(x)).mul_(weight).to(input.scalar_type());
        });
    }

    /** The gradient of the input, given the gradient of the output and the input itself. */
    Tensor backward(Tensor outputGradient, Tensor input, GradientSum gradients) {
        return TensorScope.keep(() -> {
            Tensor x = input.to(ScalarType.Float);
            Tensor inverse = inverseRoot(x);
            Tensor normalized = x.mul(inverse);
            Tensor dy = outputGradient.to(ScalarType.Float);
            if (place != null) {
                gradients.add(place, dy.mul(normalized).view(-1, place.size()).sum(0));
            }

            Tensor scaled = dy.mul(weight);
            Tensor projection = scaled.mul(normalized).mean(LAST, true, null);
            return scaled.sub_(normalized.mul_(projection)).mul_(inverse).to(input.scalar_type());
        });
    }

    private Tensor inverseRoot(Tensor x) {
        return x.square().mean(LAST, true, null).add_(new Scalar(epsilon)).rsqrt_();
    }
}
