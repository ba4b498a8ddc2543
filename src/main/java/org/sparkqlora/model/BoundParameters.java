package org.sparkqlora.model;

import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * The trained tensors of one version of the flat vector, as the model's products need them: matrices and biases in the number
 * format of activations, norm weights and magnitudes in float32. Reading is safe from many threads; closing frees the tensors.
 */
public final class BoundParameters implements AutoCloseable {
    private final Map<String, Tensor> tensors = new HashMap<>();

    BoundParameters(ParameterIndex index, FlatVector values, ScalarType activations) {
        for (Parameter parameter : index.all()) {
            ScalarType type = keepsFloat(parameter) ? ScalarType.Float : activations;
            tensors.put(parameter.name(), TensorScope.detached(() -> load(parameter, values, type)));
        }
    }

    Tensor of(Parameter parameter) {
        Tensor tensor = tensors.get(parameter.name());
        if (tensor == null) {
            throw new IllegalStateException(
                    "Cannot use trained tensor %s: it is not bound".formatted(parameter.name()));
        }

        return tensor;
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::releaseReference);
        tensors.clear();
    }

    private static boolean keepsFloat(Parameter parameter) {
        return parameter.name().endsWith("norm.weight") || parameter.name().endsWith(ModelLayout.MAGNITUDE_SUFFIX);
    }

    private static Tensor load(Parameter parameter, FlatVector values, ScalarType type) {
        int size = Math.toIntExact(parameter.size());
        float[] window = new float[size];
        values.read(parameter.offset(), window, 0, size);
        return TensorMemory.floats(window, parameter.shape()).to(type);
    }
}
