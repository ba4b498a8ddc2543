package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.Evaluated;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.TrainSummary;

/** Evaluations during a run: the best checkpoint is restored, and early stopping ends the run. */
class EvaluatedTrainingTest {
    private static final int STEPS = 12;

    /** By step, from 1 on: lowest after step 4. */
    private static final double[] LOSSES = {5, 4, 3, 2, 2.5, 2.6, 2.7, 2.4, 2.8, 2.9, 3, 3.1};

    private static final long BEST = 4;
    private static final TrainPlan PLAN = TrainFixture.plan(TrainFixture.batches(2, 4, STEPS));

    private final GradientModel model = new BigramModel();
    private final List<TokenRow> rows = TrainFixture.countingRows(50, 3);
    private final MemoryStates states = new MemoryStates();
    private final MemoryStates best = new MemoryStates();
    private final List<Long> asked = new ArrayList<>();

    @TempDir
    private Path folder;

    private float[] published = {};

    @BeforeEach
    void begin() throws IOException {
        Files.deleteIfExists(metrics());
    }

    @Test
    void aRunComesToTheStateOfTheLowestLoss() {
        TrainSummary summary = train(0, Long.MAX_VALUE);

        assertThat(summary.steps()).isEqualTo(STEPS);
        assertThat(summary.best()).contains(new Evaluated(BEST, 2));
        assertThat(published).isEqualTo(valuesAfter(BEST));
        assertThat(asked).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L);
    }

    @Test
    void patienceEndsTheRunAndKeepsACheckpointOfItsEnd() {
        TrainSummary summary = train(3, Long.MAX_VALUE);

        assertThat(summary.steps()).isEqualTo(7);
        assertThat(published).isEqualTo(valuesAfter(BEST));
        assertThat(states.saved).containsKey(7L);

        // The same command again has nothing left to do.
        assertThat(train(3, Long.MAX_VALUE).resumedFrom()).isEqualTo(7);
        assertThat(published).isEqualTo(valuesAfter(BEST));
    }

    @Test
    void aRunThatHasTakenAllItsStepsPublishesTheBestWithoutTheStateOfAnOptimiser() {
        train(0, Long.MAX_VALUE);
        published = new float[0];

        TrainSummary summary = trainer(0, new ParametersAlone(states), new ParametersAlone(best))
                .run(
                        Resume.AUTO,
                        () -> {
                            throw new IllegalStateException("began anew");
                        },
                        state -> {
                            throw new IllegalStateException("opened a source");
                        },
                        parameters -> published = TrainFixture.values(parameters));

        assertThat(published).isEqualTo(valuesAfter(BEST));
        assertThat(summary.resumedFrom()).isEqualTo(STEPS);
        assertThat(summary.best()).contains(new Evaluated(BEST, 2));
    }

    @Test
    void theBestIsReadThroughOnce() {
        trainer(0, states, new Unread(best, best::newest)).run(Resume.AUTO, this::fresh, this::scripted, this::publish);

        assertThat(published).isEqualTo(valuesAfter(BEST));
    }

    @Test
    void oneThatIsDamagedIsPassedOver() {
        Optional<StateStore.Stored> damaged = Optional.of(new Damaged(BEST));
        StateStore older = new Unread(best, () -> damaged) {
            @Override
            public Optional<Stored> newest() {
                best.saved.tailMap(BEST).clear();
                return best.newest();
            }
        };

        trainer(0, states, older).run(Resume.AUTO, this::fresh, this::scripted, this::publish);

        assertThat(best.saved).isNotEmpty();
        assertThat(published).isEqualTo(valuesAfter(best.saved.lastKey()));
    }

    @ParameterizedTest(name = "killed after step {0}")
    @ValueSource(longs = {0, 1, 2, 3, 4, 5, 6})
    void aKilledRunComesToTheSame(long killedAfter) {
        assertThatThrownBy(() -> train(3, killedAfter))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("killed");

        TrainSummary summary = train(3, Long.MAX_VALUE);

        assertThat(summary.steps()).isEqualTo(7);
        assertThat(summary.best()).contains(new Evaluated(BEST, 2));
        assertThat(published).isEqualTo(valuesAfter(BEST));
        assertThat(asked).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
    }

    @Test
    void aFreshRunForgetsTheBestOfAnEarlierOne() {
        train(0, Long.MAX_VALUE);
        states.saved.clear();
        best.save(best.newest().orElseThrow().read());

        train(0, Long.MAX_VALUE);

        assertThat(best.saved.keySet()).containsExactly(1L, 2L, 3L, 4L);
    }

    private TrainState fresh() {
        return TrainFixture.freshState(PLAN, model);
    }

    private GradientSource scripted(StateOrigin origin) {
        return new ScriptedSource(source(origin.read()), Long.MAX_VALUE);
    }

    private void publish(FlatVector parameters) {
        published = TrainFixture.values(parameters);
    }

    private TrainSummary train(int patience, long killedAfter) {
        return trainer(patience, states, best)
                .run(
                        Resume.AUTO,
                        () -> TrainFixture.freshState(PLAN, model),
                        origin -> new ScriptedSource(source(origin.read()), killedAfter),
                        parameters -> published = TrainFixture.values(parameters));
    }

    private Trainer trainer(int patience, StateStore checkpoints, StateStore ofBest) {
        return new Trainer(
                PLAN,
                new TrainTriggers(Trigger.every(2), Optional.of(Trigger.every(1)), patience),
                checkpoints,
                new MetricsFile(metrics(), warning -> {}),
                ProgressReporter.silent(),
                new BestModelAndSamples(Optional.of(ofBest), TrainFixture.recordedIn(asked)));
    }

    /** The trained values of the same plan after {@code steps} steps without evaluations. */
    private float[] valuesAfter(long steps) {
        try (TrainState state = TrainFixture.freshState(PLAN, model);
                GradientSource source = source(state)) {
            while (state.version() < steps) {
                StepGradient sum = source.gradient();
                source.apply(ClippedUpdate.of(PLAN, state.position(), sum.gradient(), sum.loss())
                        .update());
            }

            return TrainFixture.values(state.parameters());
        }
    }

    private GradientSource source(TrainState state) {
        return new LocalGradientSource(
                PLAN.batches(), model, StateHome.inMemory(new Workers(1)), state, TrainFixture.reader(rows), null);
    }

    private Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    /** Gives no whole State, and takes none. */
    private record ParametersAlone(StateStore store) implements StateStore {
        @Override
        public Optional<Stored> newest() {
            return store.newest().map(OfState::new);
        }

        @Override
        public void save(SavedState state, Optional<StepMetrics> unevaluated) {
            throw new IllegalStateException("saved a State");
        }

        private record OfState(Stored stored) implements Stored {
            @Override
            public long version() {
                return stored.version();
            }

            @Override
            public TrainState read() {
                throw new IllegalStateException("read a whole State");
            }

            @Override
            public FlatVector parameters() {
                return stored.parameters();
            }
        }
    }

    /** Has the losses above on held-out rows, and may die before it computes a gradient. */
    private record ScriptedSource(GradientSource source, long killedAfter) implements PassingSource {
        @Override
        public StepGradient gradient() {
            if (position().version() == killedAfter) {
                throw new IllegalStateException("killed");
            }

            return source.gradient();
        }

        @Override
        public LossTotal evaluate() {
            return new LossTotal(LOSSES[Math.toIntExact(position().version()) - 1], 1);
        }
    }

    /** States of which the newest is as {@code newest} says, and that nobody may read through to compare them. */
    private static class Unread implements StateStore {
        private final MemoryStates store;
        private final Supplier<Optional<Stored>> newest;

        private Unread(MemoryStates store, Supplier<Optional<Stored>> newest) {
            this.store = store;
            this.newest = newest;
        }

        @Override
        public Optional<Stored> newest() {
            throw new IllegalStateException("reads it through");
        }

        @Override
        public Optional<Stored> newestByLength() {
            return newest.get();
        }

        @Override
        public void save(SavedState state, Optional<StepMetrics> unevaluated) {
            store.save(state, unevaluated);
        }

        @Override
        public void clear() {
            store.clear();
        }
    }

    private record Damaged(long version) implements StateStore.Stored {
        @Override
        public TrainState read() {
            throw new UnreachableStateException("damaged");
        }

        @Override
        public FlatVector parameters() {
            throw new UnreachableStateException("damaged");
        }
    }
}
