package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.ProgressReporter;

/** Steps of a model in fp16 whose gradients overflow. */
class ScaledTrainingTest {
    @TempDir
    private Path folder;

    private BigramRuns runs;

    @BeforeEach
    void setUp() {
        runs = new BigramRuns(folder);
    }

    @Test
    void stepsWhoseScaledGradientOverflowsAreLeftOutUntilTheScaleFits() throws IOException {
        TrainPlan plan = BigramRuns.plan(2, 4);
        LastState last = new LastState(state -> runs.source(plan, new OverflowingModel(0x1p14), state));
        Map<Long, Double> told = new TreeMap<>();
        ProgressReporter reporter = new ProgressReporter() {
            @Override
            public void leftOut(long step, double lossScale) {
                told.put(step, lossScale);
            }
        };
        runs.trainer(plan, runs.states, ProgressReporter.silent().and(reporter))
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan, runs.model).in(Precision.FP16),
                        last::open,
                        parameters -> {});

        List<String> steps = Files.readAllLines(runs.metrics());
        assertThat(steps.subList(0, 2)).noneMatch(line -> line.contains("grad_norm"));
        assertThat(steps.subList(2, BigramRuns.STEPS)).allMatch(line -> line.contains("grad_norm"));
        assertThat(last.position().lossScale()).hasValue(0x1p14);
        assertThat(told).containsExactlyEntriesOf(new TreeMap<>(Map.of(1L, 0x1p16, 2L, 0x1p15)));
    }

    /** As transformers' Trainer, which asks accelerate whether the optimiser's step was skipped before it moves its scheduler. */
    @Test
    void theScheduleWaitsWhereAStepIsLeftOutAndAResumedRunKnowsItsPlace() throws IOException {
        TrainPlan plan = warmingUp();
        trainInFloat16(plan, Resume.NEVER, state -> {});
        List<Double> rates = learningRates();
        byte[] uninterrupted = runs.states.saved.get((long) BigramRuns.STEPS);

        for (int step = 0; step < BigramRuns.STEPS; step++) {
            assertThat(rates.get(step)).isEqualTo(plan.schedule().learningRate(Math.max(0, step - 2)));
        }

        runs.states.saved.clear();
        assertThatThrownBy(() -> trainInFloat16(plan, Resume.AUTO, BigramRuns.killAfter(5)))
                .hasMessage("killed");
        trainInFloat16(plan, Resume.AUTO, state -> {});

        assertThat(learningRates()).isEqualTo(rates);
        assertThat(runs.states.saved.get((long) BigramRuns.STEPS)).isEqualTo(uninterrupted);
    }

    @Test
    void aGradientThatOverflowsAtEveryScaleEndsTheRun() {
        int halvings = 16;
        TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 2 * halvings));

        assertThatThrownBy(() -> runs.trainer(plan, runs.states)
                        .run(
                                Resume.NEVER,
                                () -> TrainFixture.freshState(plan, runs.model).in(Precision.FP16),
                                state -> runs.source(plan, new OverflowingModel(0), state),
                                parameters -> {}))
                .isInstanceOf(BrokenLossException.class)
                .hasMessageStartingWith(
                        "Cannot take step %d: expected a finite gradient, found norm Infinity at a loss of "
                                .formatted(halvings + 1));
    }

    /** Whose first two steps are left out. */
    private void trainInFloat16(TrainPlan plan, Resume resume, BigramRuns.StepWatcher watcher) {
        runs.trainer(plan, runs.states)
                .run(
                        resume,
                        () -> TrainFixture.freshState(plan, runs.model).in(Precision.FP16),
                        state -> new BigramRuns.WatchedSource(
                                runs.source(plan, new OverflowingModel(0x1p14), state), watcher),
                        parameters -> {});
    }

    private List<Double> learningRates() throws IOException {
        return Files.readAllLines(runs.metrics()).stream()
                .map(line -> BigramRuns.number("learning_rate", line))
                .toList();
    }

    private static TrainPlan warmingUp() {
        TrainPlan plan = BigramRuns.plan(2, 4);
        return new TrainPlan(
                plan.model(),
                plan.spec(),
                null,
                plan.data(),
                plan.batches(),
                plan.optimizer(),
                new Schedule(ScheduleKind.LINEAR, 0.05, 4, BigramRuns.STEPS),
                plan.gradientDtype(),
                plan.maxGradientNorm(),
                plan.seed());
    }

    /** Has infinite gradients where the loss is multiplied by more than {@code limit}. */
    private record OverflowingModel(GradientModel model, double limit) implements PassingModel {
        private OverflowingModel(double limit) {
            this(new BigramModel(), limit);
        }

        @Override
        public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
            BoundModel bound = model().bind(parameters);
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
}
