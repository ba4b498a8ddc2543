package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

@NullMarked
class ParameterGroupTest {
    /** Below and above the size from which states have 8 bits. */
    private static final int[] SIZES = {300, 5000, 700};

    private static final List<ParameterGroup> GROUPS =
            List.of(ParameterGroup.PLAIN, new ParameterGroup(16, 1), new ParameterGroup(16, 0));
    private static final double RATE = 1e-3;

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void groupsOfOneOptimizerMoveLikeOptimizersOfTheirOwn(OptimizerKind kind) {
        float[] together = together(kind);

        int from = 0;
        for (int i = 0; i < SIZES.length; i++) {
            assertThat(Arrays.copyOfRange(together, from, from + SIZES[i]))
                    .as("group %d", i)
                    .containsExactly(alone(kind, i, from));
            from += SIZES[i];
        }
    }

    @Test
    void refusesANegativeFactor() {
        assertThatThrownBy(() -> new ParameterGroup(-1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot multiply the learning rate by -1.0: expected a finite number, 0 or more");
    }

    private static float[] together(OptimizerKind kind) {
        List<OptimizedTensor> tensors = List.of(
                new OptimizedTensor(SIZES[0], GROUPS.get(0)),
                new OptimizedTensor(SIZES[1], GROUPS.get(1)),
                new OptimizedTensor(SIZES[2], GROUPS.get(2)));
        try (Workers workers = new Workers(2);
                Optimizer optimizer = Optimizers.create(OptimTesting.spec(kind), tensors, workers)) {
            return OptimTesting.train(optimizer, Arrays.stream(SIZES).sum(), 5);
        }
    }

    private static float[] alone(OptimizerKind kind, int tensor, int from) {
        ParameterGroup group = GROUPS.get(tensor);
        int total = Arrays.stream(SIZES).sum();
        FlatVector parameters = part(OptimTesting.normal(1, total, 0.5), from, SIZES[tensor]);
        OptimizerSpec spec = OptimTesting.spec(kind).in(group);
        try (Workers workers = new Workers(1);
                Optimizer optimizer = Optimizers.create(spec, new long[] {SIZES[tensor]}, workers)) {
            for (int step = 1; step <= 5; step++) {
                FlatVector gradient = part(OptimTesting.normal(100 + step, total, 0.01), from, SIZES[tensor]);
                optimizer.step(parameters, gradient, 0.5f, RATE * group.rateFactor(), step);
            }

            return OptimTesting.values(parameters);
        }
    }

    private static FlatVector part(FlatVector all, int from, int length) {
        return FlatVector.of(Arrays.copyOfRange(OptimTesting.values(all), from, from + length));
    }
}
