package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.LongStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** Compares the rules with their formulas in {@code double}, one element at a time. */
@NullMarked
class UpdateRuleTest {
    /** Twenty steps of float32 rounding on parameters of size 1. */
    private static final double ROUNDING = 3e-6;

    private static final int LENGTH = 300;
    private static final int STEPS = 20;
    private static final double RATE = 1e-2;
    private static final double DECAY = 0.01;
    private static final float SCALE = 0.25f;

    static LongStream seeds() {
        return LongStream.range(0, 5);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void adamWFollowsItsFormula(long seed) {
        double[] means = new double[LENGTH];
        double[] squares = new double[LENGTH];
        assertFollows(OptimizerKind.ADAMW, seed, (p, g, i, t) -> {
            means[i] = 0.9 * means[i] + 0.1 * g;
            squares[i] = 0.999 * squares[i] + 0.001 * g * g;
            double mean = means[i] / (1 - Math.pow(0.9, t));
            double square = squares[i] / (1 - Math.pow(0.999, t));
            return p * (1 - RATE * DECAY) - RATE * mean / (Math.sqrt(square) + 1e-8);
        });
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void lionFollowsItsFormula(long seed) {
        double[] means = new double[LENGTH];
        assertFollows(OptimizerKind.LION, seed, (p, g, i, t) -> {
            double direction = Math.signum(0.9 * means[i] + 0.1 * g);
            means[i] = 0.999 * means[i] + 0.001 * g;
            return p * (1 - RATE * DECAY) - RATE * direction;
        });
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void sgdFollowsItsFormula(long seed) {
        assertFollows(OptimizerKind.SGD, seed, (p, g, i, t) -> p - RATE * (g + DECAY * p));
    }

    private static void assertFollows(OptimizerKind kind, long seed, Formula formula) {
        FlatVector parameters = OptimTesting.normal(seed, LENGTH, 1);
        double[] expected = new double[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            expected[i] = parameters.get(i);
        }

        try (Workers workers = new Workers(1)) {
            Optimizer optimizer = OptimTesting.create(kind, workers, LENGTH);
            for (int step = 1; step <= STEPS; step++) {
                FlatVector gradient = OptimTesting.normal(1000 * seed + step, LENGTH, 0.1);
                optimizer.step(parameters, gradient, SCALE, RATE, step);
                for (int i = 0; i < LENGTH; i++) {
                    expected[i] = formula.next(expected[i], (double) gradient.get(i) * SCALE, i, step);
                }
            }
        }

        for (int i = 0; i < LENGTH; i++) {
            assertThat((double) parameters.get(i)).as("parameter %d", i).isCloseTo(expected[i], within(ROUNDING));
        }
    }

    /** The next value of parameter {@code i} with gradient {@code g} in step {@code t}. */
    private interface Formula {
        double next(double p, double g, int i, int t);
    }
}
