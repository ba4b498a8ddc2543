package org.sparkqlora.model.shared;

import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorScope;

/**
 * The inputs of single layers during one pass, (tokens, layers, width), and their gradients, of which each layer writes its own part.
 */
public final class LayerInputs {
    private final PointerScope scope;
    private @Nullable Tensor inputs;
    private @Nullable Tensor gradients;

    /** @param scope of the pass */
    public LayerInputs(PointerScope scope) {
        this.scope = scope;
    }

    public boolean areMade() {
        return inputs != null;
    }

    public void put(Tensor all) {
        scope.attach(all);
        inputs = all;
    }

    /** Of one layer, (tokens, width). */
    public Tensor of(int layer) {
        return Objects.requireNonNull(inputs).select(1, layer);
    }

    public void putGradient(int layer, Tensor gradient) {
        if (gradients == null) {
            TensorScope.run(() -> {
                Tensor zeros = torch.zeros_like(Objects.requireNonNull(inputs));
                scope.attach(zeros);
                gradients = zeros;
            });
        }

        gradients().select(1, layer).copy_(gradient);
    }

    public Tensor gradients() {
        return Objects.requireNonNull(gradients);
    }
}
