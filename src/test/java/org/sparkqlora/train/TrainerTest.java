package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.StepSeconds;
import org.sparkqlora.train.metrics.TrainSummary;

class TrainerTest {
    /** Different groupings add float32 terms in different orders. */
    private static final float ORDER_OF_SUMS = 2e-5f;

    @TempDir
    private Path folder;

    private BigramRuns runs;

    @BeforeEach
    void setUp() {
        runs = new BigramRuns(folder);
    }

    @Test
    void lossFalls() {
        TrainSummary summary = runs.train(BigramRuns.plan(2, 4), TrainFixture.noStates(), Resume.NEVER, state -> {});

        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(0.8 * summary.firstLoss().getAsDouble());
        assertThat(summary.evaluationLoss()).isPresent();
    }

    /** As a scheduler runs it again that did not hear of the end. */
    @Test
    void aRunThatHasTakenAllStepsTellsItsLastEvaluationAgain() {
        StateStore states = new MemoryStates();
        TrainSummary first = runs.train(BigramRuns.plan(2, 4), states, Resume.NEVER, state -> {});

        TrainSummary again = runs.train(BigramRuns.plan(2, 4), states, Resume.AUTO, state -> {});

        assertThat(again.resumedFrom()).isEqualTo(first.steps());
        assertThat(first.evaluationLoss()).isPresent();
        assertThat(again.evaluationLoss()).isEqualTo(first.evaluationLoss());
    }

    @Test
    void equalSeedsGiveEqualBytes() {
        assertThat(runs.trained(BigramRuns.plan(2, 4))).isEqualTo(runs.trained(BigramRuns.plan(2, 4)));
    }

    /** The checkpoint of step 3 is written while the gradient of step 4 is computed. */
    @Test
    void anUpdateWaitsForTheCheckpointOfTheStateThatItChanges() {
        CountDownLatch computed = new CountDownLatch(1);
        CountDownLatch updated = new CountDownLatch(1);
        List<Boolean> changed = new ArrayList<>();
        StateStore slow = new MemoryStates() {
            @Override
            public void save(SavedState state, Optional<StepMetrics> unevaluated) {
                if (state.version() == 3) {
                    changed.add(comes(computed, 60) && comes(updated, 1));
                }

                super.save(state, unevaluated);
            }
        };
        TrainPlan plan = BigramRuns.plan(2, 4);
        runs.trainer(plan, slow)
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan, runs.model),
                        state -> new Watched(runs.source(plan, runs.model, state), computed, updated),
                        parameters -> {});

        assertThat(computed.getCount()).isZero();
        assertThat(changed).containsExactly(false);
    }

    private static boolean comes(CountDownLatch latch, int seconds) {
        try {
            return latch.await(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Tells that the gradient of step 4 is there, and that its update is applied. */
    private record Watched(GradientSource source, CountDownLatch computed, CountDownLatch updated)
            implements PassingSource {
        @Override
        public StepGradient gradient() {
            StepGradient gradient = source.gradient();
            if (position().version() == 3) {
                computed.countDown();
            }

            return gradient;
        }

        @Override
        public void apply(Update update) {
            if (update.fromVersion() == 3) {
                updated.countDown();
            }

            source.apply(update);
        }
    }

    @Test
    void manyMicroBatchesEqualOne() {
        float[] one = runs.parameters(BigramRuns.plan(1, 8));
        float[] many = runs.parameters(BigramRuns.plan(1, 3));

        for (int i = 0; i < one.length; i++) {
            assertThat(many[i]).isEqualTo(one[i], within(ORDER_OF_SUMS));
        }
    }

    @Test
    void manyShardsEqualOne() {
        float[] one = runs.parameters(BigramRuns.plan(1, 8));
        float[] many = runs.parameters(BigramRuns.plan(5, 8));

        for (int i = 0; i < one.length; i++) {
            assertThat(many[i]).isEqualTo(one[i], within(ORDER_OF_SUMS));
        }
    }

    @Test
    void resumedRunEqualsUninterruptedRun() throws IOException {
        byte[] uninterrupted = runs.trained(BigramRuns.plan(2, 4));

        for (int killedAfter = 1; killedAfter < BigramRuns.STEPS; killedAfter++) {
            runs.states.saved.clear();
            Files.deleteIfExists(runs.metrics());
            int step = killedAfter;
            assertThatThrownBy(() ->
                            runs.train(BigramRuns.plan(2, 4), runs.states, Resume.AUTO, BigramRuns.killAfter(step)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("killed");
            TrainSummary summary = runs.train(BigramRuns.plan(2, 4), runs.states, Resume.AUTO, state -> {});

            assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(uninterrupted);
            assertThat(summary.resumedFrom()).isEqualTo(killedAfter / 3 * 3L);
            assertThat(Files.readAllLines(runs.metrics()).stream()
                            .map(line -> MetricsJson.readStep(line).getAsLong()))
                    .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L);
        }
    }

    @Test
    void runThatIsCancelledLosesNoStep() throws IOException {
        byte[] uninterrupted = runs.trained(BigramRuns.plan(2, 4));
        runs.states.saved.clear();
        Files.deleteIfExists(runs.metrics());

        assertThatThrownBy(() -> runs.train(
                        BigramRuns.plan(2, 4),
                        runs.states,
                        Resume.AUTO,
                        BigramRuns.at(5, new CancellationException("stopped"))))
                .isInstanceOf(CancellationException.class)
                .hasMessage("stopped");
        TrainSummary summary = runs.train(BigramRuns.plan(2, 4), runs.states, Resume.AUTO, state -> {});

        assertThat(summary.resumedFrom()).isEqualTo(5);
        assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(uninterrupted);
    }

    @Test
    void metricsSayWhatAStepDid() throws IOException {
        runs.train(BigramRuns.plan(2, 4), TrainFixture.noStates(), Resume.NEVER, state -> {});

        String last = Files.readAllLines(runs.metrics()).get(BigramRuns.STEPS - 1);
        assertThat(last)
                .startsWith("{\"step\":12,\"loss\":")
                .contains("\"tokens\":", "\"trained_tokens\":", "\"learning_rate\":0.05,", "\"grad_norm\":")
                .contains("\"tokens_per_second\":", "\"compute_seconds\":", "\"exchange_seconds\":")
                .contains("\"load_seconds\":", "\"wait_seconds\":", "\"replay_seconds\":", "\"read_seconds\":")
                .contains("\"update_seconds\":", "\"spark_seconds\":", "\"spark_share\":", "\"eval_loss\":");
    }

    @Test
    void interruptedThreadWritesItsMetrics() throws IOException {
        try (MetricsFile metrics = new MetricsFile(runs.metrics(), warning -> {})) {
            metrics.rewindTo(0);
            Thread.currentThread().interrupt();
            metrics.append(
                    new StepMetrics(
                            1,
                            2,
                            8,
                            10,
                            1e-4,
                            OptionalDouble.of(1),
                            OptionalDouble.empty(),
                            StepSeconds.ZERO,
                            Map.of(),
                            0),
                    OptionalDouble.empty());
            metrics.flush();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }

        assertThat(runs.metrics()).content().startsWith("{\"step\":1,");
    }

    @Test
    void halfWrittenLineIsDroppedOnResume() throws IOException {
        Files.writeString(runs.metrics(), "{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo");

        new MetricsFile(runs.metrics(), warning -> {}).rewindTo(5);

        assertThat(runs.metrics()).hasContent("{\"step\":1,\"loss\":2}");
    }

    @Test
    void requiredResumeNeedsACheckpoint() {
        assertThatThrownBy(() -> runs.train(BigramRuns.plan(2, 4), runs.states, Resume.REQUIRED, state -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot resume: expected a checkpoint in the output folder, found none");
    }

    @Test
    void brokenLossNamesStepShardAndRowAndKeepsTheLastCheckpoint() {
        TrainPlan plan = BigramRuns.plan(2, 4);
        long badRow = plan.batches().rowsOf(4, 1, plan.seed())[2];
        GradientModel poisoned = new PoisonedModel(runs.rows.get((int) badRow));

        assertThatThrownBy(() -> runs.trainer(plan, runs.states)
                        .run(
                                Resume.AUTO,
                                () -> TrainFixture.freshState(plan, runs.model),
                                s -> runs.source(plan, poisoned, s),
                                parameters -> {}))
                .isInstanceOf(BrokenLossException.class)
                .hasMessage(
                        "Cannot take step 5: expected a finite loss, found NaN in row %d (shard 1). The checkpoint of step 3 is good: the loss was finite after it."
                                + " The same settings would break again: inspect the data, or begin anew in another --output"
                                + " with a lower --learning-rate or more --warmup-steps",
                        badRow);
        assertThat(runs.states.saved).containsOnlyKeys(3L);
    }

    @Test
    void brokenLossTellsWhenTheNewestCheckpointIsTheOneThatBroke() {
        BigramRuns.StepWatcher broken =
                BigramRuns.at(6, new BrokenLossException("Cannot take step 7: expected a finite loss, found NaN"));

        assertThatThrownBy(() -> runs.train(BigramRuns.plan(2, 4), runs.states, Resume.AUTO, broken))
                .isInstanceOf(BrokenLossException.class)
                .hasMessageStartingWith(
                        "Cannot take step 7: expected a finite loss, found NaN. The checkpoint of step 6 is"
                                + " the one that no finite loss follows; that of step 3 is good. The same settings would break again");
        assertThat(runs.states.saved).containsOnlyKeys(3L, 6L);
    }

    @Test
    void aDriverThatCannotClaimTheOutputChangesNothingInIt() throws IOException {
        Files.writeString(runs.metrics(), "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n");
        String before = Files.readString(runs.metrics());
        MemoryStates best = new MemoryStates();
        best.saved.put(2L, new byte[] {1});
        StateStore taken = new StateStore() {
            @Override
            public Optional<Stored> newest() {
                return Optional.empty();
            }

            @Override
            public void claim() {
                throw new IllegalStateException("died in between");
            }

            @Override
            public void save(SavedState state, Optional<StepMetrics> unevaluated) {
                throw new IllegalStateException("not claimed");
            }
        };
        Trainer trainer = new Trainer(
                BigramRuns.plan(2, 4),
                TrainFixture.atEnd(),
                taken,
                new MetricsFile(runs.metrics(), warning -> {}),
                ProgressReporter.silent(),
                new BestModelAndSamples(Optional.of(best), SampleLog.none()));

        assertThatThrownBy(() -> trainer.run(
                        Resume.AUTO,
                        () -> TrainFixture.freshState(BigramRuns.plan(2, 4), runs.model),
                        state -> runs.source(BigramRuns.plan(2, 4), runs.model, state),
                        parameterparameters -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("died in between");

        assertThat(runs.metrics()).hasContent(before);
        assertThat(best.saved).containsOnlyKeys(2L);
    }

    @Test
    void aDriverThatHasLostTheOutputPublishesNothing() {
        List<FlatVector> published = new ArrayList<>();
        StateStore lost = new StateStore() {
            @Override
            public Optional<Stored> newest() {
                return runs.states.newest();
            }

            @Override
            public void save(SavedState state, Optional<StepMetrics> unevaluated) {
                runs.states.save(state, unevaluated);
            }

            @Override
            public void requireOwned() {
                throw new IllegalStateException("taken over");
            }
        };

        assertThatThrownBy(() -> runs.trainer(BigramRuns.plan(2, 4), lost)
                        .run(
                                Resume.AUTO,
                                () -> TrainFixture.freshState(BigramRuns.plan(2, 4), runs.model),
                                state -> runs.source(BigramRuns.plan(2, 4), runs.model, state),
                                published::add))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("taken over");

        assertThat(published).isEmpty();
    }

    @Test
    void aDamagedLineOfTheMetricsIsToldAndTheLinesBehindItStay() throws IOException {
        Files.writeString(runs.metrics(), "{\"step\":1,\"loss\":3}\nk\u00f6nig\n{\"step\":3,\"loss\":1}\n{\"st");
        List<String> warnings = new ArrayList<>();

        new MetricsFile(runs.metrics(), warnings::add).rewindTo(3);

        assertThat(runs.metrics()).hasContent("{\"step\":1,\"loss\":3}\n{\"step\":3,\"loss\":1}");
        assertThat(warnings)
                .containsExactly("Left out line 2 of %s: expected JSON with a step, found something else"
                        .formatted(runs.metrics()));
    }

    /** Loses its mind over one row. */
    private record PoisonedModel(GradientModel model, TokenRow poison) implements PassingModel {
        private PoisonedModel(TokenRow poison) {
            this(new BigramModel(), poison);
        }

        @Override
        public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
            return new PoisonedBound(model.bind(parameters, lossScale), poison);
        }
    }

    private record PoisonedBound(BoundModel bound, TokenRow poison) implements PassingBound {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            LossTotal loss = bound.addGradient(microBatch, gradient, passSeed);
            return microBatch.contains(poison) ? new LossTotal(Double.NaN, loss.tokenCount()) : loss;
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            return microBatch.contains(poison) ? List.of(new LossTotal(Double.NaN, 1)) : bound.losses(microBatch);
        }
    }
}
