package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.TrainSummary;

/** A run that ends while it evaluates goes on with that evaluation, from the step that it is of. */
class InterruptedEvaluationTest {
    private static final int STEPS = 8;
    private static final TrainPlan PLAN = TrainFixture.plan(TrainFixture.batches(2, 4, STEPS));

    private static final RuntimeException KILLED = new IllegalStateException("killed");

    private final GradientModel model = new BigramModel();
    private final MemoryStates states = new MemoryStates();
    private final MemoryStates best = new MemoryStates();
    private final List<Long> sampled = new ArrayList<>();
    private final List<Long> evaluated = new ArrayList<>();
    private final List<Long> keptAtOnce = new ArrayList<>();

    @TempDir
    private Path folder;

    private boolean hasHeldOut = true;
    private float[] published = {};

    /** Evaluations fall on 2, 4, 6 and 8, checkpoints on 4 and 8. */
    @ParameterizedTest(name = "at step {0}")
    @ValueSource(longs = {2, 4, 6, 8})
    void oneThatIsCancelledLosesNoStep(long step) throws IOException {
        TrainSummary summary = assertGoesOn(step, new CancellationException("asked to"), step);

        assertThat(evaluated).containsExactly(2L, 4L, 6L, 8L);
        assertThat(summary.evaluationLoss()).hasValue(loss(STEPS));
    }

    @ParameterizedTest(name = "at step {0}")
    @ValueSource(longs = {4, 8})
    void oneThatIsKilledLosesNoStepBeforeACheckpoint(long step) throws IOException {
        assertGoesOn(step, KILLED, step);

        assertThat(evaluated).containsExactly(2L, 4L, 6L, 8L);
    }

    @Test
    void oneThatIsKilledBetweenCheckpointsCostsTheStepsSinceTheLast() throws IOException {
        assertGoesOn(6, KILLED, 4);
    }

    @Test
    void oneThatIsOnRecordIsNotMadeAgain() throws IOException {
        assertGoesOn(5, KILLED, 4);

        assertThat(evaluated).containsExactly(2L, 4L, 6L, 8L);
    }

    /** Sample answers alone leave no loss, and the log has the step all the same. */
    @Test
    void aRunThatHasAnsweredItsPromptsDoesNotAskThemAgain() {
        hasHeldOut = false;
        run(0, KILLED, triggers());
        evaluated.clear();

        assertThat(run(0, KILLED, triggers()).resumedFrom()).isEqualTo(STEPS);

        assertThat(evaluated).isEmpty();
        assertThat(sampled).containsExactly(0L, 2L, 4L, 6L, 8L);
    }

    @Test
    void aRunWithoutEvaluationsKeepsItsStatesBesideTheSteps() throws IOException {
        run(0, KILLED, new TrainTriggers(Trigger.every(4), Optional.empty(), 0));

        assertThat(keptAtOnce).containsExactly(8L); // that of 4 leaves with the next step
        assertThat(evaluated).isEmpty();
        assertThat(lines()).hasSize(STEPS).noneMatch(line -> line.contains("eval_loss"));
    }

    /** Ends a run by {@code failure} at step {@code at}; the same command goes on from {@code from}, and comes to what it had come to without. */
    private TrainSummary assertGoesOn(long at, RuntimeException failure, long from) throws IOException {
        run(0, failure, triggers());
        List<String> whole = lines();
        float[] result = published;
        forget();

        assertThatThrownBy(() -> run(at, failure, triggers())).isSameAs(failure).hasMessage(failure.getMessage());
        assertThat(states.saved.lastKey()).isEqualTo(from);
        TrainSummary summary = run(0, failure, triggers());

        assertThat(summary.resumedFrom()).isEqualTo(from);
        assertThat(lines()).isEqualTo(whole);
        assertThat(published).isEqualTo(result);
        assertThat(sampled).containsExactly(0L, 2L, 4L, 6L, 8L);
        return summary;
    }

    private static TrainTriggers triggers() {
        return new TrainTriggers(Trigger.every(4), Optional.of(Trigger.every(2)), 0);
    }

    private void forget() throws IOException {
        states.saved.clear();
        sampled.clear();
        best.saved.clear();
        evaluated.clear();
        Files.delete(metrics());
    }

    private TrainSummary run(long at, RuntimeException failure, TrainTriggers triggers) {
        Trainer trainer = new Trainer(
                PLAN,
                triggers,
                states,
                new MetricsFile(metrics(), warning -> {}),
                ProgressReporter.silent(),
                new BestModelAndSamples(Optional.of(best), TrainFixture.recordedIn(sampled)));
        return trainer.run(
                Resume.AUTO,
                () -> TrainFixture.freshState(PLAN, model),
                origin -> new Failing(source(origin.read()), at, failure),
                parameters -> published = TrainFixture.values(parameters));
    }

    private GradientSource source(TrainState state) {
        return new LocalGradientSource(
                PLAN.batches(),
                model,
                StateHome.inMemory(new Workers(1)),
                state,
                TrainFixture.reader(TrainFixture.countingRows(50, 3)),
                null);
    }

    /** Lines of the log without what the clock decides. */
    private List<String> lines() throws IOException {
        return Files.readAllLines(metrics()).stream()
                .map(line -> line.replaceAll("\"[a-z_]*(seconds|second|share)\":[^,]*,", ""))
                .toList();
    }

    private Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    /** Lowest after step 4. */
    private static double loss(long step) {
        return 1 + Math.abs(step - 4);
    }

    /** Fails at a step: in the evaluation after it, or in the gradient of the next where none is due. */
    private final class Failing implements PassingSource {
        private final GradientSource source;
        private final long at; // 0: never
        private final RuntimeException failure;

        private Failing(GradientSource source, long at, RuntimeException failure) {
            this.source = source;
            this.at = at;
            this.failure = failure;
        }

        @Override
        public GradientSource source() {
            return source;
        }

        @Override
        public SavedState saved(LongFunction<Optional<CheckpointDraft>> drafts) {
            keptAtOnce.add(position().version());
            return source.saved(drafts);
        }

        @Override
        public StepGradient gradient() {
            failAt(at % 2 == 0 ? 0 : at);
            return source.gradient();
        }

        @Override
        public LossTotal evaluate() {
            failAt(at);
            evaluated.add(position().version());
            return hasHeldOut ? new LossTotal(loss(position().version()), 1) : new LossTotal(0, 0);
        }

        private void failAt(long version) {
            if (version > 0 && position().version() == version) {
                throw failure;
            }
        }
    }
}
