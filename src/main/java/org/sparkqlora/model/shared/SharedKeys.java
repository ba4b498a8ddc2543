package org.sparkqlora.model.shared;

import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorScope;

/**
 * Keys and values that one layer makes and later ones attend to as well, during one pass, and the sum of the gradients that these have of
 * them, float32.
 */
public final class SharedKeys {
    private record Pair(Tensor keys, Tensor values) {}

    private final PointerScope scope;
    private @Nullable Pair made;
    private @Nullable Pair gradients;

    /** @param scope of the pass, which owns all of them */
    public SharedKeys(PointerScope scope) {
        this.scope = scope;
    }

    /** Takes those that the layer made; nothing when it makes them again. */
    public void put(Tensor keys, Tensor values) {
        if (made == null) {
            scope.attach(keys);
            scope.attach(values);
            made = new Pair(keys, values);
        }
    }

    public Tensor keys() {
        return Objects.requireNonNull(made).keys();
    }

    public Tensor values() {
        return Objects.requireNonNull(made).values();
    }

    /** Takes the gradients of a layer that attends to them. */
    public void addGradients(Tensor ofKeys, Tensor ofValues) {
        if (gradients == null) {
            gradients = new Pair(copy(ofKeys), copy(ofValues));
        } else {
            gradients.keys().add_(ofKeys);
            gradients.values().add_(ofValues);
        }
    }

    /** Adds what was taken to the gradients of the layer that made them. */
    public void addTo(Tensor ofKeys, Tensor ofValues) {
        if (gradients != null) {
            ofKeys.add_(gradients.keys());
            ofValues.add_(gradients.values());
        }
    }

    private Tensor copy(Tensor gradient) {
        Tensor copy = TensorScope.keep(() -> gradient.to(ScalarType.Float).clone());
        scope.attach(copy);
        return copy;
    }
}
