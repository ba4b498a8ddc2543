package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.ProgressReporter;

/** Runs all of whose executors are lost, and with them the State. */
class LostStateTest {
    private static final TrainPlan PLAN = BigramRuns.plan(2, 4);

    private final List<Long> told = new ArrayList<>();

    @TempDir
    private Path folder;

    private BigramRuns runs;
    private byte[] undisturbed;

    @BeforeEach
    void trainUndisturbed() throws IOException {
        runs = new BigramRuns(folder);
        undisturbed = runs.trained(PLAN);
        runs.states.saved.clear();
        Files.delete(runs.metrics());
    }

    @Test
    void theRunGoesOnFromItsNewestCheckpoint() throws IOException {
        train(Resume.NEVER, 5, 1);

        assertThat(told).containsExactly(3L);
        assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(undisturbed);
        assertThat(Files.readAllLines(runs.metrics()).stream()
                        .map(line -> MetricsJson.readStep(line).getAsLong()))
                .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L);
    }

    @Test
    void beforeItsFirstCheckpointTheRunBeginsAgain() {
        train(Resume.NEVER, 2, 2);

        assertThat(told).containsExactly(0L, 0L);
        assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(undisturbed);
    }

    @Test
    void theCheckpointOfAnotherRunIsNotTaken() {
        runs.states.saved.put(2L, new byte[] {1});

        train(Resume.NEVER, 1, 1);

        assertThat(told).containsExactly(0L);
        assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(undisturbed);
    }

    @Test
    void aRunThatLosesItsStateAgainAndAgainEnds() {
        assertThatThrownBy(() -> train(Resume.NEVER, 2, 3))
                .isInstanceOf(UnreachableStateException.class)
                .hasMessage("lost");
        assertThat(told).containsExactly(0L, 0L);
    }

    /** Loses the State so many times before step {@code at + 1}. */
    private void train(Resume resume, int at, int times) {
        int[] left = {times};
        ProgressReporter reporter = new ProgressReporter() {
            @Override
            public void stateLost(long step, String reason) {
                told.add(step);
            }
        };
        runs.trainer(PLAN, runs.states, reporter)
                .run(
                        resume,
                        () -> TrainFixture.freshState(PLAN, runs.model),
                        state -> new BigramRuns.WatchedSource(runs.source(PLAN, runs.model, state), before -> {
                            if (before.version() == at && left[0]-- > 0) {
                                throw new UnreachableStateException("lost");
                            }
                        }),
                        parameters -> {});
    }
}
