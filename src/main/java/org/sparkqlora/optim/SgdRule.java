package org.sparkqlora.optim;

import java.util.List;

/** Gradient descent without momentum, decay counted as part of the gradient: {@code p = p - lr * (g + decay * p)}. */
record SgdRule(OptimizerSpec spec) implements UpdateRule {
    @Override
    public List<StateRange> states() {
        return List.of();
    }

    @Override
    public ElementUpdate at(double learningRate, long stepFromOne) {
        return new Step((float) learningRate, (float) spec.weightDecay());
    }

    /** The rule with the factors of one step. */
    private record Step(float learningRate, float decay) implements ElementUpdate {
        @Override
        public void apply(float[] parameters, float[] gradient, float[][] states, int count) {
            for (int i = 0; i < count; i++) {
                parameters[i] -= learningRate * (gradient[i] + decay * parameters[i]);
            }
        }
    }
}
