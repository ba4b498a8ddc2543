package org.sparkqlora.optim;

import java.util.List;
import org.sparkqlora.tensor.cuda.AdamWFactors;

/**
 * Adam with decoupled weight decay ("Decoupled Weight Decay Regularization", arXiv:1711.05101), in the order of operations
 * of bitsandbytes' CPU path:
 *
 * <pre>
 * m = b1 * m + (1 - b1) * g        v = b2 * v + (1 - b2) * g * g
 * c1 = 1 - b1^t                    c2 = sqrt(1 - b2^t)
 * p = p * (1 - lr * decay)
 * p = p - (lr * c2 / c1) * (m / (sqrt(v) + eps * c2))
 * </pre>
 *
 * Factors are computed in float64 and rounded once; everything that touches an element is float32.
 */
record AdamWRule(OptimizerSpec spec) implements UpdateRule {
    @Override
    public List<StateRange> states() {
        return List.of(StateRange.ANY, StateRange.NOT_NEGATIVE);
    }

    @Override
    public UpdateRule.ElementUpdate at(double learningRate, long stepFromOne) {
        double meanCorrection = 1 - StrictMath.pow(spec.beta1(), (double) stepFromOne);
        double rootCorrection = Math.sqrt(1 - StrictMath.pow(spec.beta2(), (double) stepFromOne));
        return new Step(
                (float) spec.beta1(),
                (float) (1 - spec.beta1()),
                (float) spec.beta2(),
                (float) (1 - spec.beta2()),
                (float) (1 - learningRate * spec.weightDecay()),
                (float) (learningRate * rootCorrection / meanCorrection),
                (float) (spec.epsilon() * rootCorrection));
    }

    /** The rule with the factors of one step. */
    record Step(
            float keepMean,
            float addMean,
            float keepSquare,
            float addSquare,
            float keepParameter,
            float size,
            float epsilon)
            implements UpdateRule.ElementUpdate {
        /** The factors for a GPU, which scales gradients too. */
        AdamWFactors factors(float gradientScale) {
            return new AdamWFactors(
                    gradientScale, keepMean, addMean, keepSquare, addSquare, keepParameter, size, epsilon);
        }

        @Override
        public void apply(float[] parameters, float[] gradient, float[][] states, int count) {
            float[] means = states[0];
            float[] squares = states[1];
            for (int i = 0; i < count; i++) {
                float g = gradient[i];
                float mean = keepMean * means[i] + addMean * g;
                float square = keepSquare * squares[i] + addSquare * g * g;
                means[i] = mean;
                squares[i] = square;
                float direction = mean / ((float) Math.sqrt(square) + epsilon);
                parameters[i] = parameters[i] * keepParameter - size * direction;
            }
        }
    }
}
