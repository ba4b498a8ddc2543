package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Linear maps of one and the same input, whether the family keeps them as modules of their own or fused in one. */
sealed interface LinearGroup permits LinearGroup.Separate, LinearGroup.Fused, FusedLoraLinears {
    /** The output of each map, and what their gradient needs. */
    record Recorded(List<Tensor> outputs, List<LinearPass.Tape> tapes) {
        /** Some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.concat(outputs.stream(), tapes.stream().flatMap(LinearPass.Tape::tensors));
        }
    }

    /** An uninitialised (tokens, inputs) for an input, which then need not be copied. */
    Tensor buffer(long tokens);

    /** Buffers for the gradients of the outputs, (tokens, outputs) each. */
    List<Tensor> gradientBuffers(long tokens);

    /** Applies all maps to (tokens, inputs). */
    Recorded apply(Tensor input);

    /** The intermediate results that the gradient needs, without the outputs where they can be spared. */
    List<LinearPass.Tape> tapes(Tensor input);

    /**
     * Adds the gradients of what trains here, and returns that of the input.
     *
     * @param outputGradients written to {@link #gradientBuffers}
     */
    Tensor backward(List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientAccumulator gradients);

    /** As {@link #backward} for a single map, whose gradient may lie anywhere. */
    Tensor backwardOf(Tensor outputGradient, List<LinearPass.Tape> tapes, GradientAccumulator gradients);

    /** A module for each map, each by itself. */
    record Separate(List<LinearPass> modules) implements LinearGroup {
        @Override
        public Tensor buffer(long tokens) {
            Tensor weight = modules.get(0).weight();
            return torch.empty(new long[] {tokens, weight.size(1)}, weight.options(), null);
        }

        @Override
        public List<Tensor> gradientBuffers(long tokens) {
            return modules.stream()
                    .map(LinearPass::weight)
                    .map(weight -> torch.empty(new long[] {tokens, weight.size(0)}, weight.options(), null))
                    .toList();
        }

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
        public List<LinearPass.Tape> tapes(Tensor input) {
            return modules.stream().map(module -> module.tape(input)).toList();
        }

        @Override
        public Tensor backward(
                List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
            Tensor sum = modules.get(0).backward(outputGradients.get(0), tapes.get(0), gradients);
            for (int i = 1; i < modules.size(); i++) {
                sum.add_(modules.get(i).backward(outputGradients.get(i), tapes.get(i), gradients));
            }

            return sum;
        }

        @Override
        public Tensor backwardOf(Tensor outputGradient, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
            return backward(List.of(outputGradient), tapes, gradients);
        }
    }

    /** One module whose outputs are those of the maps, one after the other. */
    record Fused(LinearGroup module, List<Integer> widths) implements LinearGroup {
        @Override
        public Tensor buffer(long tokens) {
            return module.buffer(tokens);
        }

        @Override
        public List<Tensor> gradientBuffers(long tokens) {
            return parts(module.gradientBuffers(tokens).get(0));
        }

        @Override
        public Recorded apply(Tensor input) {
            Recorded recorded = module.apply(input);
            return new Recorded(parts(recorded.outputs().get(0)), recorded.tapes());
        }

        @Override
        public List<LinearPass.Tape> tapes(Tensor input) {
            return module.tapes(input);
        }

        @Override
        public Tensor backward(
                List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
            TensorVector parts = new TensorVector(outputGradients.toArray(new Tensor[0]));
            return module.backwardOf(torch.cat(parts, 1), tapes, gradients);
        }

        @Override
        public Tensor backwardOf(Tensor outputGradient, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
            return module.backwardOf(outputGradient, tapes, gradients);
        }

        private List<Tensor> parts(Tensor whole) {
            List<Tensor> parts = new ArrayList<>();
            long from = 0;
            for (int width : widths) {
                parts.add(whole.narrow(1, from, width));
                from += width;
            }

            return parts;
        }
    }
}
