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
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.Precision;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.TrainSummary;

class TrainerTest {
    private static final int STEPS = 12;
    private static final Pattern DIVERGENCE = Pattern.compile("\"local_divergence\":([-0-9.E]+)");
    private static final Pattern LEARNING_RATE = Pattern.compile("\"learning_rate\":([-0-9.E]+)");

    /** Different groupings add float32 terms in different orders. */
    private static final float ORDER_OF_SUMS = 2e-5f;

    /** The root of what is left when two squares of one distance are rounded apart in float32. */
    private static final double ROUNDED_SQUARES = 1e-3;

    private final GradientModel model = new BigramModel();
    private final List<TokenRow> rows = TrainFixture.countingRows(50, 3);
    private final MemoryStates states = new MemoryStates();

    @TempDir
    private Path folder;

    @Test
    void lossFalls() {
        TrainSummary summary = train(plan(2, 4), StateStore.none(), Resume.NEVER, state -> {});

        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(0.8 * summary.firstLoss().getAsDouble());
        assertThat(summary.evaluationLoss()).isPresent();
    }

    @Test
    void equalSeedsGiveEqualBytes() {
        assertThat(trained(plan(2, 4))).isEqualTo(trained(plan(2, 4)));
    }

    @Test
    void manyMicroBatchesEqualOne() {
        float[] one = parameters(plan(1, 8));
        float[] many = parameters(plan(1, 3));

        for (int i = 0; i < one.length; i++) {
            assertThat(many[i]).isEqualTo(one[i], within(ORDER_OF_SUMS));
        }
    }

    @Test
    void manyShardsEqualOne() {
        float[] one = parameters(plan(1, 8));
        float[] many = parameters(plan(5, 8));

        for (int i = 0; i < one.length; i++) {
            assertThat(many[i]).isEqualTo(one[i], within(ORDER_OF_SUMS));
        }
    }

    @Test
    void resumedRunEqualsUninterruptedRun() throws IOException {
        byte[] uninterrupted = trained(plan(2, 4));

        for (int killedAfter = 1; killedAfter < STEPS; killedAfter++) {
            states.saved.clear();
            Files.deleteIfExists(metrics());
            int step = killedAfter;
            assertThatThrownBy(() -> train(plan(2, 4), states, Resume.AUTO, killAfter(step)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("killed");
            TrainSummary summary = train(plan(2, 4), states, Resume.AUTO, state -> {});

            assertThat(states.saved.get((long) STEPS)).isEqualTo(uninterrupted);
            assertThat(summary.resumedFrom()).isEqualTo(killedAfter / 3 * 3L);
            assertThat(Files.readAllLines(metrics()).stream()
                            .map(line -> MetricsJson.readStep(line).getAsLong()))
                    .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L);
        }
    }

    @Test
    void runThatIsCancelledLosesNoStep() throws IOException {
        byte[] uninterrupted = trained(plan(2, 4));
        states.saved.clear();
        Files.deleteIfExists(metrics());

        assertThatThrownBy(() -> train(plan(2, 4), states, Resume.AUTO, at(5, new CancellationException("stopped"))))
                .isInstanceOf(CancellationException.class)
                .hasMessage("stopped");
        TrainSummary summary = train(plan(2, 4), states, Resume.AUTO, state -> {});

        assertThat(summary.resumedFrom()).isEqualTo(5);
        assertThat(states.saved.get((long) STEPS)).isEqualTo(uninterrupted);
    }

    @Test
    void stepsThatTheOnlyShardTakesByItselfAreStepsLikeAnyOther() {
        assertThat(trained(localSteps(1, 5))).isEqualTo(trained(plan(1, 4)));
    }

    @Test
    void shardsThatTakeStepsByThemselvesDriftApartAndLearn() throws IOException {
        TrainSummary summary = train(localSteps(3, 3), StateStore.none(), Resume.NEVER, state -> {});

        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(0.8 * summary.firstLoss().getAsDouble());
        List<String> lines = Files.readAllLines(metrics());
        assertThat(lines.stream().map(line -> MetricsJson.readStep(line).getAsLong()))
                .containsExactly(3L, 6L, 9L, 12L);
        assertThat(lines)
                .allSatisfy(line -> assertThat(number(DIVERGENCE, line)).isBetween(0.01, 2.0));
    }

    @Test
    void oneShardDoesNotDriftFromItself() throws IOException {
        train(localSteps(1, 4), StateStore.none(), Resume.NEVER, state -> {});

        assertThat(Files.readAllLines(metrics()))
                .hasSize(3)
                .allSatisfy(line -> assertThat(number(DIVERGENCE, line)).isCloseTo(0, within(ROUNDED_SQUARES)));
    }

    @Test
    void aRunOfLocalStepsResumesToTheSameBytes() {
        byte[] uninterrupted = trained(localSteps(2, 3));
        states.saved.clear();
        assertThatThrownBy(() -> train(localSteps(2, 3), states, Resume.AUTO, killAfter(6)))
                .hasMessage("killed");

        TrainSummary summary = train(localSteps(2, 3), states, Resume.AUTO, state -> {});

        assertThat(summary.resumedFrom()).isEqualTo(6);
        assertThat(states.saved.get((long) STEPS)).isEqualTo(uninterrupted);
    }

    @Test
    void metricsSayWhatAStepDid() throws IOException {
        train(plan(2, 4), StateStore.none(), Resume.NEVER, state -> {});

        String last = Files.readAllLines(metrics()).get(STEPS - 1);
        assertThat(last)
                .startsWith("{\"step\":12,\"loss\":")
                .contains("\"tokens\":", "\"trained_tokens\":", "\"learning_rate\":0.05,", "\"grad_norm\":")
                .contains("\"tokens_per_second\":", "\"compute_seconds\":", "\"exchange_seconds\":")
                .contains("\"load_seconds\":", "\"wait_seconds\":", "\"replay_seconds\":", "\"read_seconds\":")
                .contains("\"update_seconds\":", "\"spark_seconds\":", "\"spark_share\":", "\"eval_loss\":");
    }

    @Test
    void halfWrittenLineIsDroppedOnResume() throws IOException {
        Files.writeString(metrics(), "{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo");

        new MetricsFile(metrics(), warning -> {}).rewindTo(5);

        assertThat(metrics()).hasContent("{\"step\":1,\"loss\":2}");
    }

    @Test
    void requiredResumeNeedsACheckpoint() {
        assertThatThrownBy(() -> train(plan(2, 4), states, Resume.REQUIRED, state -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot resume: expected a checkpoint in the output folder, found none");
    }

    @Test
    void brokenLossNamesStepShardAndRowAndKeepsTheLastCheckpoint() {
        TrainPlan plan = plan(2, 4);
        long badRow = plan.batches().rowsOf(4, 1, plan.seed())[2];
        GradientModel poisoned = new PoisonedModel(rows.get((int) badRow));

        assertThatThrownBy(() -> trainer(plan, states)
                        .run(
                                Resume.AUTO,
                                () -> TrainFixture.freshState(plan, model),
                                s -> source(plan, poisoned, s),
                                s -> {}))
                .isInstanceOf(BrokenLossException.class)
                .hasMessage(
                        "Cannot take step 5: expected a finite loss, found NaN in row %d (shard 1). The checkpoint of step 3 is good: the loss was finite after it."
                                + " The same settings would break again: inspect the data, or begin anew in another --output"
                                + " with a lower --learning-rate or more --warmup-steps",
                        badRow);
        assertThat(states.saved).containsOnlyKeys(3L);
    }

    @Test
    void brokenLossTellsWhenTheNewestCheckpointIsTheOneThatBroke() {
        StepWatcher broken = at(6, new BrokenLossException("Cannot take step 7: expected a finite loss, found NaN"));

        assertThatThrownBy(() -> train(plan(2, 4), states, Resume.AUTO, broken))
                .isInstanceOf(BrokenLossException.class)
                .hasMessageStartingWith(
                        "Cannot take step 7: expected a finite loss, found NaN. The checkpoint of step 6 is"
                                + " the one that no finite loss follows; that of step 3 is good. The same settings would break again");
        assertThat(states.saved).containsOnlyKeys(3L, 6L);
    }

    @Test
    void aDriverThatCannotClaimTheOutputChangesNothingInIt() throws IOException {
        Files.writeString(metrics(), "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n");
        String before = Files.readString(metrics());
        MemoryStates best = new MemoryStates();
        best.saved.put(2L, new byte[] {1});
        StateStore taken = new StateStore() {
            @Override
            public Optional<TrainState> newest() {
                return Optional.empty();
            }

            @Override
            public void claim() {
                throw new IllegalStateException("died in between");
            }

            @Override
            public void save(SavedState state) {
                throw new IllegalStateException("not claimed");
            }
        };
        Trainer trainer = new Trainer(
                plan(2, 4),
                TrainTriggers.atEnd(),
                taken,
                new MetricsFile(metrics(), warning -> {}),
                ProgressReporter.silent(),
                new BestModelAndSamples(best, SampleLog.none()));

        assertThatThrownBy(() -> trainer.run(
                        Resume.AUTO,
                        () -> TrainFixture.freshState(plan(2, 4), model),
                        state -> source(plan(2, 4), model, state),
                        state -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("died in between");

        assertThat(metrics()).hasContent(before);
        assertThat(best.saved).containsOnlyKeys(2L);
    }

    @Test
    void aDriverThatHasLostTheOutputPublishesNothing() {
        List<TrainState> published = new ArrayList<>();
        StateStore lost = new StateStore() {
            @Override
            public Optional<TrainState> newest() {
                return states.newest();
            }

            @Override
            public void save(SavedState state) {
                states.save(state);
            }

            @Override
            public void requireOwned() {
                throw new IllegalStateException("taken over");
            }
        };

        assertThatThrownBy(() -> trainer(plan(2, 4), lost)
                        .run(
                                Resume.AUTO,
                                () -> TrainFixture.freshState(plan(2, 4), model),
                                state -> source(plan(2, 4), model, state),
                                published::add))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("taken over");

        assertThat(published).isEmpty();
    }

    @Test
    void aDamagedLineOfTheMetricsIsToldAndTheLinesBehindItStay() throws IOException {
        Files.writeString(metrics(), "{\"step\":1,\"loss\":3}\nk\u00f6nig\n{\"step\":3,\"loss\":1}\n{\"st");
        List<String> warnings = new ArrayList<>();

        new MetricsFile(metrics(), warnings::add).rewindTo(3);

        assertThat(metrics()).hasContent("{\"step\":1,\"loss\":3}\n{\"step\":3,\"loss\":1}");
        assertThat(warnings)
                .containsExactly(
                        "Left out line 2 of %s: expected JSON with a step, found something else".formatted(metrics()));
    }

    @Test
    void stepsWhoseScaledGradientOverflowsAreLeftOutUntilTheScaleFits() throws IOException {
        TrainPlan plan = plan(2, 4);
        TrainState[] last = new TrainState[1];
        Map<Long, Double> told = new TreeMap<>();
        ProgressReporter reporter = new ProgressReporter() {
            @Override
            public void leftOut(long step, double lossScale) {
                told.put(step, lossScale);
            }
        };
        trainer(plan, states, ProgressReporter.silent().and(reporter))
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan, model).in(Precision.FP16),
                        state -> source(plan, new OverflowingModel(0x1p14), state),
                        state -> last[0] = state);

        List<String> steps = Files.readAllLines(metrics());
        assertThat(steps.subList(0, 2)).noneMatch(line -> line.contains("grad_norm"));
        assertThat(steps.subList(2, STEPS)).allMatch(line -> line.contains("grad_norm"));
        assertThat(last[0].position().lossScale()).hasValue(0x1p14);
        assertThat(told).containsExactlyEntriesOf(new TreeMap<>(Map.of(1L, 0x1p16, 2L, 0x1p15)));
    }

    /** As transformers' Trainer, which asks accelerate whether the optimiser's step was skipped before it moves its scheduler. */
    @Test
    void theScheduleWaitsWhereAStepIsLeftOutAndAResumedRunKnowsItsPlace() throws IOException {
        TrainPlan plan = warmingUp();
        trainInFloat16(plan, Resume.NEVER, state -> {});
        List<Double> rates = learningRates();
        byte[] uninterrupted = states.saved.get((long) STEPS);

        for (int step = 0; step < STEPS; step++) {
            assertThat(rates.get(step)).isEqualTo(plan.schedule().learningRate(Math.max(0, step - 2)));
        }

        states.saved.clear();
        assertThatThrownBy(() -> trainInFloat16(plan, Resume.AUTO, killAfter(5)))
                .hasMessage("killed");
        trainInFloat16(plan, Resume.AUTO, state -> {});

        assertThat(learningRates()).isEqualTo(rates);
        assertThat(states.saved.get((long) STEPS)).isEqualTo(uninterrupted);
    }

    @Test
    void aGradientThatOverflowsAtEveryScaleEndsTheRun() {
        int halvings = 16;
        TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 2 * halvings));

        assertThatThrownBy(() -> trainer(plan, states)
                        .run(
                                Resume.NEVER,
                                () -> TrainFixture.freshState(plan, model).in(Precision.FP16),
                                state -> source(plan, new OverflowingModel(0), state),
                                state -> {}))
                .isInstanceOf(BrokenLossException.class)
                .hasMessageStartingWith(
                        "Cannot take step %d: expected a finite gradient, found norm Infinity at a loss of "
                                .formatted(halvings + 1));
    }

    /** Whose first two steps are left out. */
    private void trainInFloat16(TrainPlan plan, Resume resume, StepWatcher watcher) {
        trainer(plan, states)
                .run(
                        resume,
                        () -> TrainFixture.freshState(plan, model).in(Precision.FP16),
                        state -> new WatchedSource(source(plan, new OverflowingModel(0x1p14), state), watcher),
                        state -> {});
    }

    private List<Double> learningRates() throws IOException {
        return Files.readAllLines(metrics()).stream()
                .map(line -> number(LEARNING_RATE, line))
                .toList();
    }

    private static TrainPlan warmingUp() {
        TrainPlan plan = plan(2, 4);
        return new TrainPlan(
                plan.model(),
                plan.spec(),
                null,
                plan.data(),
                plan.batches(),
                plan.optimizer(),
                new Schedule(ScheduleKind.LINEAR, 0.05, 4, STEPS),
                plan.gradientDtype(),
                plan.maxGradientNorm(),
                plan.seed());
    }

    private static TrainPlan plan(int shards, int microBatchSize) {
        return TrainFixture.plan(TrainFixture.batches(shards, microBatchSize, STEPS));
    }

    private static TrainPlan localSteps(int shards, int steps) {
        return TrainFixture.plan(new BatchPlan(50, 8, 4, shards, BatchPlan.RowOrder.SHUFFLED, 8L * STEPS, steps));
    }

    private static double number(Pattern key, String line) {
        Matcher number = key.matcher(line);
        assertThat(number.find()).as(line).isTrue();
        return Double.parseDouble(number.group(1));
    }

    private Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    private Trainer trainer(TrainPlan plan, StateStore store) {
        return trainer(plan, store, ProgressReporter.silent());
    }

    private Trainer trainer(TrainPlan plan, StateStore store, ProgressReporter reporter) {
        return new Trainer(
                plan,
                new TrainTriggers(Trigger.every(3), Trigger.every(0)),
                store,
                new MetricsFile(metrics(), warning -> {}),
                reporter);
    }

    private GradientSource source(TrainPlan plan, GradientModel of, TrainState state) {
        return new LocalGradientSource(
                plan.batches(),
                of,
                StateHome.inMemory(new Workers(1)),
                state,
                TrainFixture.reader(rows),
                TrainFixture.reader(rows.subList(0, 5)));
    }

    private TrainSummary train(TrainPlan plan, StateStore store, Resume resume, StepWatcher watcher) {
        return trainer(plan, store)
                .run(
                        resume,
                        () -> TrainFixture.freshState(plan, model),
                        state -> new WatchedSource(source(plan, model, state), watcher),
                        state -> {});
    }

    private byte[] trained(TrainPlan plan) {
        train(plan, states, Resume.NEVER, state -> {});
        return Objects.requireNonNull(states.saved.get((long) STEPS));
    }

    private float[] parameters(TrainPlan plan) {
        FlatVector[] result = new FlatVector[1];
        trainer(plan, StateStore.none())
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan, model),
                        state -> source(plan, model, state),
                        state -> result[0] = state.parameters());
        float[] values = new float[Math.toIntExact(result[0].length())];
        result[0].read(0, values, 0, values.length);
        return values;
    }

    private static StepWatcher killAfter(int steps) {
        return at(steps, new IllegalStateException("killed"));
    }

    private static StepWatcher at(int steps, RuntimeException thrown) {
        return state -> {
            if (state.version() == steps) {
                throw thrown;
            }
        };
    }

    /** Sees the State before each step. */
    private interface StepWatcher {
        void before(TrainState state);
    }

    private record WatchedSource(GradientSource source, StepWatcher watcher) implements GradientSource {
        @Override
        public TrainState state() {
            return source.state();
        }

        @Override
        public StepGradient gradient() {
            watcher.before(source.state());
            return source.gradient();
        }

        @Override
        public void apply(Update update) {
            source.apply(update);
        }

        @Override
        public StepGradient localRound(TrainPlan plan) {
            watcher.before(source.state());
            return source.localRound(plan);
        }

        @Override
        public double become(StateMean mean, int steps) {
            return source.become(mean, steps);
        }

        @Override
        public Position position() {
            return source.position();
        }

        @Override
        public SavedState saved() {
            return source.saved();
        }

        @Override
        public long optimizerResidentBytes() {
            return source.optimizerResidentBytes();
        }

        @Override
        public LossTotal evaluate() {
            return source.evaluate();
        }

        @Override
        public List<int[]> generate(List<int[]> prompts, GenerationSpec spec) {
            return source.generate(prompts, spec);
        }

        @Override
        public void close() {
            source.close();
        }
    }

    /** Has infinite gradients where the loss is multiplied by more than {@code limit}. */
    private record OverflowingModel(GradientModel model, double limit) implements PassingModel {
        private OverflowingModel(double limit) {
            this(new BigramModel(), limit);
        }

        @Override
        public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
            BoundModel bound = bind(parameters);
            return lossScale.orElse(0) > limit ? new Overflowing(bound) : bound;
        }
    }

    private record Overflowing(BoundModel bound) implements PassingBound {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            LossTotal loss = bound.addGradient(microBatch, gradient, passSeed);
            gradient.set(0, Float.POSITIVE_INFINITY);
            return loss;
        }
    }

    /** Loses its mind over one row. */
    private record PoisonedModel(GradientModel model, TokenRow poison) implements PassingModel {
        private PoisonedModel(TokenRow poison) {
            this(new BigramModel(), poison);
        }

        @Override
        public BoundModel bind(FlatVector parameters) {
            return new PoisonedBound(model.bind(parameters), poison);
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
