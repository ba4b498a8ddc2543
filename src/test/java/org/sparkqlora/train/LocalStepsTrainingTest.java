package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.TrainSummary;

/** Rounds in which shards take steps by themselves. */
class LocalStepsTrainingTest {
    /** The root of what is left when two squares of one distance are rounded apart in float32. */
    private static final double ROUNDED_SQUARES = 1e-3;

    @TempDir
    private Path folder;

    private BigramRuns runs;

    @BeforeEach
    void setUp() {
        runs = new BigramRuns(folder);
    }

    @Test
    void stepsThatTheOnlyShardTakesByItselfAreStepsLikeAnyOther() {
        assertThat(runs.trained(localSteps(1, 5))).isEqualTo(runs.trained(BigramRuns.plan(1, 4)));
    }

    @Test
    void shardsThatTakeStepsByThemselvesDriftApartAndLearn() throws IOException {
        TrainSummary summary = runs.train(localSteps(3, 3), TrainFixture.noStates(), Resume.NEVER, state -> {});

        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(0.8 * summary.firstLoss().getAsDouble());
        List<String> lines = Files.readAllLines(runs.metrics());
        assertThat(lines.stream().map(line -> MetricsJson.readStep(line).getAsLong()))
                .containsExactly(3L, 6L, 9L, 12L);
        assertThat(lines)
                .allSatisfy(line ->
                        assertThat(BigramRuns.number("local_divergence", line)).isBetween(0.01, 2.0));
    }

    @Test
    void oneShardDoesNotDriftFromItself() throws IOException {
        runs.train(localSteps(1, 4), TrainFixture.noStates(), Resume.NEVER, state -> {});

        assertThat(Files.readAllLines(runs.metrics()))
                .hasSize(3)
                .allSatisfy(line ->
                        assertThat(BigramRuns.number("local_divergence", line)).isCloseTo(0, within(ROUNDED_SQUARES)));
    }

    @Test
    void aRunOfLocalStepsResumesToTheSameBytes() {
        byte[] uninterrupted = runs.trained(localSteps(2, 3));
        runs.states.saved.clear();
        assertThatThrownBy(() -> runs.train(localSteps(2, 3), runs.states, Resume.AUTO, BigramRuns.killAfter(6)))
                .hasMessage("killed");

        TrainSummary summary = runs.train(localSteps(2, 3), runs.states, Resume.AUTO, state -> {});

        assertThat(summary.resumedFrom()).isEqualTo(6);
        assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(uninterrupted);
    }

    private static TrainPlan localSteps(int shards, int steps) {
        return TrainFixture.plan(
                new BatchPlan(50, 8, 4, shards, BatchPlan.RowOrder.SHUFFLED, 8L * BigramRuns.STEPS, steps));
    }
}
