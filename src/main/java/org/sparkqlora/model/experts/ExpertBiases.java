package org.sparkqlora.model.experts;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.Hardware;

/**
 * The biases of all experts of a layer, or their gradients.
 *
 * @param gateUp (E, 2 width), gate before up
 * @param down (E, hidden)
 */
public record ExpertBiases(Tensor gateUp, Tensor down) {
    // E experts

    /** Of biases as they are stored. */
    public static ExpertBiases of(GateUpRows order, Tensor storedGateUp, Tensor down) {
        return new ExpertBiases(order.apart(storedGateUp.t()).t().contiguous(), down);
    }

    /** Zeros of this shape, float32. */
    public ExpertBiases zeros(Hardware hardware) {
        return new ExpertBiases(
                hardware.zeros(ScalarType.Float, gateUp.size(0), gateUp.size(1)),
                hardware.zeros(ScalarType.Float, down.size(0), down.size(1)));
    }

    /** Those of gate and up as they are stored. */
    public Tensor storedGateUp(GateUpRows order) {
        return order.together(gateUp.t()).t().contiguous();
    }

    /** The bias of one expert's gate and up, (2 width). */
    Tensor gateUp(int expert) {
        return gateUp.select(0, expert);
    }

    /** The bias of one expert's down, (hidden). */
    Tensor down(int expert) {
        return down.select(0, expert);
    }
}
