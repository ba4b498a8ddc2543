package org.sparkqlora.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * The trained tensors of one version of the flat vector, as the model's products need them: matrices and biases in the number
 * format of activations, norm weights, magnitudes, sinks, the head that scores texts and what decides over the decay of a state in float32. Reading
 * is safe from many threads; closing frees the tensors.
 */
public final class BoundParameters implements AutoCloseable {
    private static final int WINDOW = 1 << 20;
    private static final List<String> FLOAT_SUFFIXES = List.of(
            "norm.weight",
            ModelLayout.MAGNITUDE_SUFFIX,
            SavedModules.SCORE_KEY,
            "linear_attn.A_log",
            "linear_attn.dt_bias",
            "self_attn.sinks");

    private final Map<String, Tensor> tensors = new HashMap<>();

    BoundParameters(ParameterIndex index, FlatVector values, ScalarType activations, Hardware hardware) {
        for (Parameter parameter : index.all()) {
            ScalarType type = keepsFloat(parameter) ? ScalarType.Float : activations;
            tensors.put(parameter.name(), TensorScope.detached(() -> load(parameter, values, type, hardware)));
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
        return FLOAT_SUFFIXES.stream().anyMatch(parameter.name()::endsWith);
    }

    /** Through windows, so that neither the heap nor native memory holds the tensor in float32 beside itself. */
    private static Tensor load(Parameter parameter, FlatVector values, ScalarType type, Hardware hardware) {
        Tensor tensor = hardware.empty(type, parameter.shape());
        Tensor flat = tensor.view(-1);
        long size = parameter.size();
        for (long from = 0; from < size; from += WINDOW) {
            long at = from;
            float[] window = new float[(int) Math.min(WINDOW, size - at)];
            values.read(parameter.offset() + at, window, 0, window.length);
            TensorScope.run(() -> flat.narrow(0, at, window.length).copy_(TensorMemory.floats(window, window.length)));
        }

        return tensor;
    }
}
