package org.sparkqlora.model.experts;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.elementwise.Gate;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Products;
import org.sparkqlora.weights.family.ExpertMatrix;

/**
 * One expert, its weights in hand: {@code y = down(f(gate(x), up(x)))}.
 *
 * @param index which of its layer it is
 * @param gateUp gate above up, (2 width, hidden)
 * @param down (hidden, width)
 * @param biases of all experts of the layer; null without
 */
public record Expert(
        int index, Tensor gateUp, Tensor down, @Nullable ExpertBiases biases, Adapters adapters, Gate activation) {
    /**
     * The adapters of a layer's experts; null where a matrix has none.
     *
     * @param gateUp of gate and up as one matrix
     */
    public record Adapters(
            @Nullable ExpertAdapter gateUp, @Nullable ExpertAdapter down) {
        public static final Adapters NONE = new Adapters(null, null);
    }

    /** Takes the gradients of an expert's matrices where these train. */
    @FunctionalInterface
    public interface Sink {
        void add(int expert, ExpertMatrix matrix, Tensor gradient);
    }

    /**
     * The buffers for the gradients of what trains.
     *
     * @param gateUp of all experts; null where it has no adapters
     * @param down the same of the other matrix
     * @param weights takes those of whole matrices; null where these are frozen
     * @param biases of all experts; null where they are frozen, or there are none
     */
    public record Gradients(
            ExpertAdapter.@Nullable Gradients gateUp,
            ExpertAdapter.@Nullable Gradients down,
            @Nullable Sink weights,
            @Nullable ExpertBiases biases) {
        /** Zeros for the adapters and biases that there are. */
        public static Gradients of(
                Adapters adapters, @Nullable Sink weights, @Nullable ExpertBiases biases, Hardware hardware) {
            return new Gradients(
                    adapters.gateUp() == null ? null : ExpertAdapter.Gradients.of(adapters.gateUp(), hardware),
                    adapters.down() == null ? null : ExpertAdapter.Gradients.of(adapters.down(), hardware),
                    weights,
                    weights == null || biases == null ? null : biases.zeros(hardware));
        }
    }

    /**
     * Intermediate results of the forward pass that the gradient needs.
     *
     * @param gated what gate and up make, (tokens, 2 width)
     * @param low what their adapter makes between A and B; null where they have none
     */
    public record Tape(Tensor gated, @Nullable Tensor low) {
        public Stream<Tensor> tensors() {
            return low == null ? Stream.of(gated) : Stream.of(gated, low);
        }
    }

    /** Begins with (tokens, hidden). */
    public Tape record(Tensor input) {
        Tensor gated = Products.linear(input, gateUp, biases == null ? null : biases.gateUp(index));
        if (adapters.gateUp() == null) {
            return new Tape(gated, null);
        }

        Tensor low = adapters.gateUp().low(index, input);
        adapters.gateUp().addTo(gated, index, low);
        return new Tape(gated, low);
    }

    /** The output, (tokens, hidden). */
    public Tensor output(Tape tape) {
        Tensor active = active(tape.gated());
        Tensor output = Products.linear(active, down, biases == null ? null : biases.down(index));
        if (adapters.down() != null) {
            adapters.down().addTo(output, index, adapters.down().low(index, active));
        }

        return output;
    }

    /**
     * The gradient of the input.
     *
     * @param weighted the gradient of the output
     * @param productSums becomes of each row the product of the output with its gradient
     */
    public Tensor backward(Tensor input, Tape tape, Tensor weighted, Gradients gradients, Tensor productSums) {
        Tensor active = active(tape.gated());
        Tensor dActive = throughDown(active, weighted, gradients);
        productSums.copy_(
                dActive.to(ScalarType.Float).mul(active.to(ScalarType.Float)).sum(1));
        if (biases != null) {
            productSums.add_(weighted.to(ScalarType.Float).mv(biases.down(index).to(ScalarType.Float)));
        }

        Tensor dGated = throughActivation(dActive, tape.gated());
        Tensor dInput = Products.mm(dGated, gateUp);
        if (adapters.gateUp() != null && tape.low() != null) {
            adapters.gateUp().backward(index, dGated, input, tape.low(), dInput, gradients.gateUp());
        }

        addBiasGradients(dGated, weighted, gradients.biases());
        if (gradients.weights() != null) {
            Tensor whole = Products.mm(dGated.t(), input);
            gradients.weights().add(index, ExpertMatrix.GATE, whole.narrow(0, 0, width()));
            gradients.weights().add(index, ExpertMatrix.UP, whole.narrow(0, width(), width()));
        }

        return dInput;
    }

    private void addBiasGradients(Tensor dGated, Tensor weighted, @Nullable ExpertBiases sums) {
        if (sums != null) {
            sums.gateUp(index).copy_(dGated.to(ScalarType.Float).sum(0));
            sums.down(index).copy_(weighted.to(ScalarType.Float).sum(0));
        }
    }

    /** In one matrix, as gate and up are. */
    private Tensor throughActivation(Tensor dActive, Tensor gated) {
        List<Tensor> parts = parts(gated);
        Tensor whole = torch.empty_like(gated);
        List<Tensor> buffers = parts(whole);
        List<Tensor> made = activation.backward(dActive, parts.get(0), parts.get(1), rows -> buffers);
        for (int i = 0; i < buffers.size(); i++) {
            if (made.get(i) != buffers.get(i)) {
                buffers.get(i).copy_(made.get(i));
            }
        }

        return whole;
    }

    private Tensor throughDown(Tensor active, Tensor weighted, Gradients gradients) {
        Tensor dActive = Products.mm(weighted, down);
        if (adapters.down() != null) {
            Tensor low = adapters.down().low(index, active);
            adapters.down().backward(index, weighted, active, low, dActive, gradients.down());
        }

        if (gradients.weights() != null) {
            gradients.weights().add(index, ExpertMatrix.DOWN, Products.mm(weighted.t(), active));
        }

        return dActive;
    }

    private Tensor active(Tensor gated) {
        List<Tensor> parts = parts(gated);
        return activation.forward(
                parts.get(0), parts.get(1), rows -> torch.empty(new long[] {rows, width()}, gated.options(), null));
    }

    private List<Tensor> parts(Tensor gated) {
        return List.of(gated.narrow(1, 0, width()), gated.narrow(1, width(), width()));
    }

    private long width() {
        return down.size(1);
    }
}
