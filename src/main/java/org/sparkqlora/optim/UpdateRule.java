package org.sparkqlora.optim;

import java.util.List;

/** The update rule of an optimiser. */
sealed interface UpdateRule permits AdamWRule, UpdateRule.LionRule, UpdateRule.SgdRule {
    /** The states of every element, zero at the start. */
    List<StateRange> states();

    /** The arithmetic of step {@code stepFromOne}. */
    ElementUpdate at(double learningRate, long stepFromOne);

    static UpdateRule of(OptimizerSpec spec) {
        return switch (spec.kind().unpaged()) {
            case ADAMW, ADAMW_8BIT -> new AdamWRule(spec);
            case LION, LION_8BIT -> new LionRule(spec);
            case SGD -> new SgdRule(spec);
            case PAGED_ADAMW, PAGED_ADAMW_8BIT, PAGED_LION, PAGED_LION_8BIT ->
                throw new IllegalStateException(spec.kind() + " is not the plain twin of a kind");
        };
    }

    /**
     * Lion ("Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675) with decoupled weight decay:
     *
     * <pre>
     * p = p * (1 - lr * decay) - lr * sign(b1 * m + (1 - b1) * g)
     * m = b2 * m + (1 - b2) * g
     * </pre>
     */
    record LionRule(OptimizerSpec spec) implements UpdateRule {
        @Override
        public List<StateRange> states() {
            return List.of(StateRange.ANY);
        }

        @Override
        public ElementUpdate at(double learningRate, long stepFromOne) {
            return new Step(
                    (float) spec.beta1(),
                    (float) (1 - spec.beta1()),
                    (float) spec.beta2(),
                    (float) (1 - spec.beta2()),
                    (float) (1 - learningRate * spec.weightDecay()),
                    (float) learningRate);
        }

        /** The rule with the factors of one step. */
        private record Step(
                float keepDirection,
                float addDirection,
                float keepMean,
                float addMean,
                float keepParameter,
                float learningRate)
                implements ElementUpdate {
            @Override
            public void apply(float[] parameters, float[] gradient, float[][] states, int count) {
                float[] means = states[0];
                for (int i = 0; i < count; i++) {
                    float g = gradient[i];
                    float direction = Math.signum(keepDirection * means[i] + addDirection * g);
                    parameters[i] = parameters[i] * keepParameter - learningRate * direction;
                    means[i] = keepMean * means[i] + addMean * g;
                }
            }
        }
    }

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

    /** One step's arithmetic on a run of elements, each by itself. */
    @FunctionalInterface
    interface ElementUpdate {
        /** Moves the first {@code count} parameters and their state; {@code states[s]} lies parallel to the parameters. */
        void apply(float[] parameters, float[] gradient, float[][] states, int count);
    }
}
