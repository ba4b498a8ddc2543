package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;
import org.sparkqlora.train.metrics.StepSeconds;

class StepGradientTest {
    private static final List<ShardResult> RESULTS = List.of(shard(1, 3), shard(0, 1), shard(2, 2));

    @Test
    void theSlowestOfShardsThatComputeAtOnceCounts() {
        StepGradient gradient =
                StepGradient.sum(0, 3, RESULTS, GradientFormat.FP32).within(3.5, 3);

        assertThat(gradient.seconds().tasks().computing()).isEqualTo(3);
        assertThat(gradient.seconds().exchange()).isEqualTo(0.5);
    }

    @Test
    void shardsThatTakeTurnsCountTogether() {
        StepGradient gradient =
                StepGradient.sum(0, 3, RESULTS, GradientFormat.FP32).within(6.5, 1);

        assertThat(gradient.seconds().tasks().computing()).isEqualTo(6);
        assertThat(gradient.seconds().exchange()).isEqualTo(0.5);
    }

    @Test
    void computingNeverTakesMoreThanTheWholeStep() {
        StepGradient gradient =
                StepGradient.sum(0, 3, RESULTS, GradientFormat.FP32).within(2.5, 3);

        assertThat(gradient.seconds().tasks().computing()).isEqualTo(2.5);
        assertThat(gradient.seconds().exchange()).isZero();
    }

    @Test
    void phasesShareTheTimeAsTheyDoOverAllShards() {
        List<ShardResult> results = List.of(
                shard(0, new PhaseSeconds(0, 2, 0, 1, 2)), shard(1, new PhaseSeconds(1, 1, 1, 1, 1)), shard(2, 0));

        StepSeconds seconds = StepGradient.sum(0, 3, results, GradientFormat.FP32)
                .within(6, 3)
                .seconds();

        assertThat(seconds.tasks()).isEqualTo(new PhaseSeconds(0.5, 1.5, 0.5, 1, 1.5));
        assertThat(seconds.exchange()).isEqualTo(1);
        assertThat(seconds.withUpdate(3).total()).isEqualTo(9);
        assertThat(seconds.withUpdate(3).spark()).isEqualTo(5);
    }

    private static ShardResult shard(int number, double seconds) {
        return shard(number, new PhaseSeconds(0, 0, 0, 0, seconds));
    }

    private static ShardResult shard(int number, PhaseSeconds seconds) {
        return new ShardResult.Gradient(
                number,
                new LossTotal(1, 1),
                1,
                FlatVector.zeros(1),
                new ShardReport("any", seconds, ProcessMemory.UNKNOWN));
    }
}
