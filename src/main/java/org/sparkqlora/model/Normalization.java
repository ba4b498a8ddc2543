package org.sparkqlora.model;

import java.util.function.LongFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.elementwise.DeviceMath;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * RMS normalisation over the last dimension (arXiv 1910.07467): {@code y = x r w, r = 1 / sqrt(mean(x^2) + epsilon)}.
 *
 * <p>Gradient: with e = dy w, {@code dx = r e - x r^3 mean(e x)} and {@code dw = sum(dy x r)}. All in float32.
 *
 * @param weight w, or 1 + w in families whose norms count from zero, float32, as wide as the last dimension
 * @param place where w lies in the flat vector; null when it is frozen
 */
record Normalization(Tensor weight, @Nullable Parameter place, double epsilon, Hardware hardware) {
    /** A norm that multiplies by nothing. */
    static Normalization unweighted(int width, double epsilon, Hardware hardware) {
        Tensor ones = hardware.empty(ScalarType.Float, width).fill_(new Scalar(1.0));
        return new Normalization(ones, null, epsilon, hardware);
    }

    /** The number of elements that are normalised together. */
    int width() {
        return Math.toIntExact(weight.size(0));
    }

    /** Normalises {@code input} in float32 and returns it in its own number format. */
    Tensor forward(Tensor input) {
        return forward(input, tokens -> torch.empty_like(input.contiguous()));
    }

    /** As {@link #forward(Tensor)}, for a matrix. */
    Tensor forward(Tensor input, LongFunction<Tensor> buffer) {
        return TensorScope.keep(() -> {
            if (!hardware.isHostAccessible()) {
                return DeviceMath.normalized(input, epsilon).mul_(weight).to(input.scalar_type());
            }

            Tensor inputs = input.contiguous();
            Tensor outputs = buffer.apply(input.size(0));
            long stride = outputs.is_contiguous() ? width() : outputs.stride(0);
            float[] factors = factors();
            hardware.rows().run(rows(input), width(), range -> {
                TensorRows from = range.of(inputs, width());
                TensorRows to = range.strided(outputs, width(), stride);
                float[] x = new float[width()];
                for (long row = range.from(); row < range.to(); row++) {
                    from.load(row, x);
                    range.math().scale(inverseRoot(x, range.math()), x, x, width());
                    range.math().multiply(x, factors, x, width());
                    to.store(row, x);
                }
            });
            return outputs;
        });
    }

    /** The gradient of the input, given the gradient of the output and the input itself. */
    Tensor backward(Tensor outputGradient, Tensor input, GradientAccumulator gradients) {
        return backwardOnto(null, outputGradient, input, gradients);
    }

    /** The gradient of the input plus {@code addend}, which is shaped as the input; the sum is rounded once. */
    Tensor backwardOnto(@Nullable Tensor addend, Tensor outputGradient, Tensor input, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tensor inputs = input.contiguous();
            Tensor given = outputGradient.contiguous();
            addWeightGradient(given, inputs, gradients);
            if (!hardware.isHostAccessible()) {
                Tensor own = DeviceMath.throughNorm(given, inputs, weight, epsilon);
                return addend == null ? own : own.add(addend);
            }

            Tensor result = torch.empty_like(inputs);
            Tensor addends = addend == null ? null : addend.contiguous();
            float[] factors = factors();
            hardware.rows().run(rows(input), width(), range -> {
                TensorRows dOutput = range.of(given, width());
                TensorRows from = range.of(inputs, width());
                TensorRows to = range.of(result, width());
                TensorRows added = addends == null ? null : range.of(addends, width());
                float[] x = new float[width()];
                float[] e = new float[width()];
                for (long row = range.from(); row < range.to(); row++) {
                    from.load(row, x);
                    dOutput.load(row, e);
                    range.math().multiply(e, factors, e, width());
                    combine(e, x, range.math());
                    if (added != null) {
                        added.load(row, x);
                        range.math().combine(1, e, 1, x, e, width());
                    }

                    to.store(row, e);
                }
            });
            return result;
        });
    }

    /** {@code e = r e - x r^3 mean(e x)}. */
    private void combine(float[] e, float[] x, RowMath math) {
        float r = inverseRoot(x, math);
        float mean = math.dot(e, x, width()) / width();
        math.combine(r, e, -r * r * r * mean, x, e, width());
    }

    private void addWeightGradient(Tensor outputGradient, Tensor input, GradientAccumulator gradients) {
        if (place == null) {
            return;
        }

        Tensor normalized = normalized(input);
        Tensor products = normalized.mul_(outputGradient.to(ScalarType.Float));
        gradients.add(place, products.view(-1, place.size()).sum(0));
    }

    /** x r, in float32. */
    private Tensor normalized(Tensor input) {
        if (!hardware.isHostAccessible()) {
            return DeviceMath.normalized(input, epsilon);
        }

        Tensor outputs = torch.empty_like(input, new TensorOptions(ScalarType.Float), null);
        hardware.rows().run(rows(input), width(), range -> {
            TensorRows from = range.of(input, width());
            TensorRows to = range.of(outputs, width());
            float[] x = new float[width()];
            for (long row = range.from(); row < range.to(); row++) {
                from.load(row, x);
                range.math().scale(inverseRoot(x, range.math()), x, x, width());
                to.store(row, x);
            }
        });
        return outputs;
    }

    private float inverseRoot(float[] x, RowMath math) {
        return (float) (1 / Math.sqrt(math.dot(x, x, width()) / width() + epsilon));
    }

    private long rows(Tensor input) {
        return input.numel() / width();
    }

    private float[] factors() {
        float[] factors = new float[width()];
        TensorMemory.read(weight, factors, width());
        return factors;
    }
}
