package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.TensorMemory;

/** Adds the gradients of single tensors to a flat float32 vector. Belongs to one micro-batch at a time. */
final class GradientSum {
    private static final int WINDOW = 1 << 20;

    private final FlatVector target;
    private float[] window = new float[0];

    GradientSum(FlatVector target) {
        this.target = target;
    }

    /** Adds {@code gradient}, a tensor of the parameter's shape in any number format. */
    void add(Parameter parameter, Tensor gradient) {
        Tensor values =
                TensorMemory.onHost(gradient.contiguous().to(ScalarType.Float).view(-1));
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
