package org.sparkqlora.optim;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * The hyperparameters of an optimiser, except for the learning rate.
 *
 * @param beta1 decay of the mean of gradients, in [0, 1); unused by SGD
 * @param beta2 decay of the mean of squares (AdamW) or of the stored mean (Lion), in [0, 1); unused by SGD
 * @param epsilon what AdamW adds to the root of the mean of squares
 * @param weightDecay share of a parameter, times the learning rate, that a step takes away
 * @param loraPlusRatio how many times as fast as A the factors B of adapters learn (LoRA+, arXiv 2402.12354); 1 is plain LoRA
 * @param decayed the tensors that weight decay is applied to
 */
public record OptimizerSpec(
        OptimizerKind kind,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        double loraPlusRatio,
        DecayedTensors decayed)
        implements Serializable {
    /** Of parameters that nothing moves, or that move elsewhere. */
    public static final OptimizerSpec WITHOUT_STATE = new OptimizerSpec(OptimizerKind.SGD, 0, 0, 0, 0);

    public OptimizerSpec {
        requireDecay("beta1", beta1);
        requireDecay("beta2", beta2);
        requireNotNegative("epsilon", epsilon);
        requireNotNegative("weight decay", weightDecay);
        if (!(loraPlusRatio > 0 && loraPlusRatio < Double.POSITIVE_INFINITY)) {
            throw new BadInputException(
                    "Cannot optimise with LoRA+ ratio %s: expected a finite number above 0".formatted(loraPlusRatio));
        }
    }

    /** An optimiser that treats all tensors alike. */
    public OptimizerSpec(OptimizerKind kind, double beta1, double beta2, double epsilon, double weightDecay) {
        this(kind, beta1, beta2, epsilon, weightDecay, 1, DecayedTensors.ALL);
    }

    /** This spec with weight decay on other tensors. */
    public OptimizerSpec decaying(DecayedTensors tensors) {
        return new OptimizerSpec(kind, beta1, beta2, epsilon, weightDecay, loraPlusRatio, tensors);
    }

    /** The numbers for one group of tensors, the learning rate apart. */
    OptimizerSpec in(ParameterGroup group) {
        return new OptimizerSpec(
                kind, beta1, beta2, epsilon, weightDecay * group.decayFactor(), loraPlusRatio, decayed);
    }

    private static void requireDecay(String name, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new BadInputException(
                    "Cannot optimise with %s %s: expected a number from 0 to below 1".formatted(name, value));
        }
    }

    private static void requireNotNegative(String name, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new BadInputException(
                    "Cannot optimise with %s %s: expected a finite number, 0 or more".formatted(name, value));
        }
    }
}
