package org.sparkqlora.optim;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * Tensors with a learning rate and weight decay of their own (torch's parameter groups).
 *
 * @param rateFactor what the learning rate is multiplied by
 * @param decayFactor what the weight decay is multiplied by
 */
public record ParameterGroup(double rateFactor, double decayFactor) implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Tensors that follow the optimiser's own numbers. */
    public static final ParameterGroup PLAIN = new ParameterGroup(1, 1);

    public ParameterGroup {
        require("learning rate", rateFactor);
        require("weight decay", decayFactor);
    }

    private static void require(String what, double factor) {
        if (!(factor >= 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new BadInputException(
                    "Cannot multiply the %s by %s: expected a finite number, 0 or more".formatted(what, factor));
        }
    }
}
