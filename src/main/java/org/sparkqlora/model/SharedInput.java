package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Linear maps of one and the same input, whether the family keeps them as modules of their own or fused in one. */
sealed interface SharedInput permits SharedInput.Separate, SharedInput.Fused, JoinedAdapters {
    /** The output of each map, and what their gradient needs. */
    record Recorded(List<Tensor> outputs, List<LinearPass.Tape> tapes) {
        /** Some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.concat(outputs.stream(), tapes.stream().flatMap(LinearPass.Tape::tensors));
        }
    }

    /** Applies all maps to (tokens, inputs). */
    Recorded apply(Tensor input);

    /** Adds the gradients of what trains here, and returns that of the input. */
    Tensor backward(List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientSum gradients);

    /** A module for each map. */
    static SharedInput of(List<LinearPass> modules) {
        JoinedAdapters adapters = JoinedAdapters.of(modules);
        return adapters == null ? new Separate(modules) : adapters;
    }

    /** A module for each map, each by itself. */
    record Separate(List<LinearPass> modules) implements SharedInput {
        @Override
        public Recorded apply(Tensor input) {
            List<Tensor> outputs = new ArrayList<>();
            List<LinearPass.Tape> tapes = new ArrayList<>();
            for (LinearPass module : modules) {
                LinearPass.Recorded recorded = module.apply(input);
                outputs.add(recorded.output());
                tapes.add(recorded.tape());
            }

            return new Recorded(outputs, tapes);
        }

        @Override
        public Tensor backward(List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientSum gradients) {
            Tensor sum = modules.get(0).backward(outputGradients.get(0), tapes.get(0), gradients);
            for (int i = 1; i < modules.size(); i++) {
                sum.add_(modules.get(i).backward(outputGradients.get(i), tapes.get(i), gradients));
            }

            return sum;
        }
    }

    /** One module whose outputs are those of the maps, one after the other. */
    record Fused(LinearPass module, List<Integer> widths) implements SharedInput {
        @Override
        public Recorded apply(Tensor input) {
            LinearPass.Recorded recorded = module.apply(input);
            List<Tensor> outputs = new ArrayList<>();
            long from = 0;
            for (int width : widths) {
                outputs.add(recorded.output().narrow(1, from, width));
                from += width;
            }

            return new Recorded(outputs, List.of(recorded.tape()));
        }

        @Override
        public Tensor backward(List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientSum gradients) {
            TensorVector parts = new TensorVector(outputGradients.toArray(new Tensor[0]));
            return module.backward(torch.cat(parts, 1), tapes.get(0), gradients);
        }
    }
}
