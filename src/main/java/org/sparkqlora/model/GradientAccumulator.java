package org.sparkqlora.model;

import java.util.OptionalDouble;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.TensorMemory;

/** Adds the gradients of single tensors to a flat float32 vector. Belongs to one micro-batch at a time. */
final class GradientAccumulator {
    private static final int WINDOW = 1 << 20;

    private final FlatVector target;
    private final double factor;
    private float[] window = new float[0];

    private GradientAccumulator(FlatVector target, double factor) {
        this.target = target;
        this.factor = factor;
    }

    GradientAccumulator(FlatVector target) {
        this(target, 1);
    }

    /**
     * One of gradients that are {@code lossScale} times those of the mean loss of {@code predictors} tokens, which is rounded up to a power of
     * two, so that dividing by it again is exact. Without a scale the gradients are those of the summed loss.
     */
    static GradientAccumulator scaled(FlatVector target, OptionalDouble lossScale, int predictors) {
        if (lossScale.isEmpty() || predictors == 0) {
            return new GradientAccumulator(target);
        }

        int upTo = Integer.SIZE - Integer.numberOfLeadingZeros(predictors - 1);
        return new GradientAccumulator(target, Math.scalb(lossScale.getAsDouble(), -upTo));
    }

    /** The factor on the gradient of the loss before it goes through the model. */
    double factor() {
        return factor;
    }

    /** Adds {@code gradient}, a tensor of the parameter's shape in any number format, divided by the factor. */
    void add(Parameter parameter, Tensor gradient) {
        Tensor given = gradient.contiguous().to(ScalarType.Float).view(-1);
        Tensor values = TensorMemory.onHost(factor == 1 ? given : given.mul(new Scalar(1 / factor)));
        long size = parameter.size();
        for (long at = 0; at < size; at += WINDOW) {
            int count = (int) Math.min(WINDOW, size - at);
            TensorMemory.read(values.narrow(0, at, count), windowOf(count), count);
            target.add(parameter.offset() + at, window, 0, count);
        }
    }

    private float[] windowOf(int count) {
        if (window.length < count) {
            window = new float[count];
        }

        return window;
    }
}
