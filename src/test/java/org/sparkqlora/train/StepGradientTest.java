package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.tensor.FlatVector;

class StepGradientTest {
    private static final List<ShardResult> RESULTS = List.of(shard(1, 3), shard(0, 1), shard(2, 2));

    @Test
    void theSlowestOfShardsThatComputeAtOnceCounts() {
        StepGradient gradient = StepGradient.sum(0, 3, RESULTS).within(3.5, 3);

        assertThat(gradient.computeSeconds()).isEqualTo(3);
        assertThat(gradient.exchangeSeconds()).isEqualTo(0.5);
    }

    @Test
    void shardsThatTakeTurnsCountTogether() {
        StepGradient gradient = StepGradient.sum(0, 3, RESULTS).within(6.5, 1);

        assertThat(gradient.computeSeconds()).isEqualTo(6);
        assertThat(gradient.exchangeSeconds()).isEqualTo(0.5);
    }

    @Test
    void computingNeverTakesMoreThanTheWholeStep() {
        StepGradient gradient = StepGradient.sum(0, 3, RESULTS).within(2.5, 3);

        assertThat(gradient.computeSeconds()).isEqualTo(2.5);
        assertThat(gradient.exchangeSeconds()).isZero();
    }

    private static ShardResult shard(int number, double seconds) {
        return new ShardResult.Gradient(number, new LossTotal(1, 1), 1, FlatVector.zeros(1), seconds);
    }
}
