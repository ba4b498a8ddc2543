package org.sparkqlora.model;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.OffloadedTensors;
import org.sparkqlora.tensor.TensorScope;

/** The states of layers that one pass keeps for the gradient, as {@link Recompute} says. */
final class LayerStates implements AutoCloseable {
    private final Recompute recompute;
    private final OffloadedTensors offloaded;
    private final Deque<State> states = new ArrayDeque<>();

    /** @param scratch folder of what is offloaded */
    LayerStates(Recompute recompute, Path scratch) {
        this.recompute = recompute;
        this.offloaded = new OffloadedTensors(scratch);
    }

    /**
     * State of a layer.
     *
     * @param input null where it was offloaded
     * @param recorded null where the layer is to be computed again from its input
     */
    private record State(@Nullable Tensor input, LayerPass.@Nullable Recorded recorded) {
        private void free() {
            if (input != null) {
                TensorScope.free(input);
            }

            if (recorded != null) {
                // the output is the next layer's input and freed with it
                tensors(recorded).stream()
                        .filter(tensor -> tensor != recorded.result())
                        .forEach(TensorScope::free);
            }
        }
    }

    private static Set<Tensor> tensors(LayerPass.Recorded recorded) {
        Set<Tensor> once = Collections.newSetFromMap(new IdentityHashMap<>());
        recorded.tensors().forEach(once::add);
        return once;
    }

    /** The output of the next layer, whose {@code input} is kept or freed. */
    Tensor forward(Tensor input, Supplier<LayerPass> layer) {
        if (recompute.isOfWholeLayers()) {
            Tensor output = TensorScope.keep(() -> layer.get().forward(input));
            states.push(new State(keptOrOffloaded(input), null));
            return output;
        }

        LayerPass.Recorded recorded =
                TensorScope.keepAll(() -> layer.get().record(input, recompute), LayerStates::tensors);
        states.push(new State(input, recorded));
        return recorded.result();
    }

    private @Nullable Tensor keptOrOffloaded(Tensor input) {
        if (recompute == Recompute.ALL) {
            return input;
        }

        offloaded.push(input);
        TensorScope.free(input);
        return null;
    }

    /** The gradient of the input of the last layer that is kept, given that of its output. Frees both the state and the latter. */
    Tensor backward(Tensor outputGradient, Supplier<LayerPass> layer, GradientAccumulator gradients) {
        State state = states.pop();
        Tensor gradient = TensorScope.keep(() -> {
            if (state.recorded() != null) {
                return layer.get().backward(outputGradient, state.recorded().tape(), gradients);
            }

            Tensor input = state.input() == null ? offloaded.pop() : state.input();
            return layer.get().recomputedBackward(outputGradient, input, gradients);
        });
        TensorScope.free(outputGradient);
        state.free();
        return gradient;
    }

    @Override
    public void close() {
        offloaded.close();
    }
}
