package org.sparkqlora.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Gradients of functions that are written in libtorch's operations, by libtorch's autograd, whatever the thread is made for. */
public final class Autograd {
    private Autograd() {}

    /**
     * The gradients of the first {@code count} inputs, given that of the output. The function is computed again here, on copies of its
     * inputs; other tensors that it takes must be made within it.
     */
    public static List<Tensor> gradients(
            Function<List<Tensor>, Tensor> function, List<Tensor> inputs, int count, Tensor outputGradient) {
        return TensorScope.keepAll(
                () -> {
                    try (InferenceMode recording = new InferenceMode(false)) {
                        return recorded(function, inputs, count, outputGradient);
                    }
                },
                gradients -> gradients);
    }

    private static List<Tensor> recorded(
            Function<List<Tensor>, Tensor> function, List<Tensor> inputs, int count, Tensor outputGradient) {
        List<Tensor> leaves = new ArrayList<>();
        for (Tensor input : inputs) {
            leaves.add(input.clone().requires_grad_(leaves.size() < count));
        }

        TensorVector parts = torch.grad(
                new TensorVector(function.apply(leaves)),
                new TensorVector(leaves.subList(0, count).toArray(new Tensor[0])),
                new TensorVector(outputGradient.clone()),
                new BoolOptional(),
                false,
                false);
        List<Tensor> gradients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // what the vector hands out ends with it
            gradients.add(new Tensor(parts.get(i)));
        }

        return gradients;
    }
}
