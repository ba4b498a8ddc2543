package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.TrainSummary;

/** Training runs of the bigram model in this process, and what they leave. */
final class BigramRuns {
    static final int STEPS = 12;

    final GradientModel model = new BigramModel();
    final List<TokenRow> rows = TrainFixture.countingRows(50, 3);
    final MemoryStates states = new MemoryStates();

    private final Path folder;

    BigramRuns(Path folder) {
        this.folder = folder;
    }

    static TrainPlan plan(int shards, int microBatchSize) {
        return TrainFixture.plan(TrainFixture.batches(shards, microBatchSize, STEPS));
    }

    Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    Trainer trainer(TrainPlan plan, StateStore store) {
        return trainer(plan, store, ProgressReporter.silent());
    }

    Trainer trainer(TrainPlan plan, StateStore store, ProgressReporter reporter) {
        return new Trainer(
                plan,
                TrainFixture.triggers(Trigger.every(3), Trigger.every(0)),
                store,
                new MetricsFile(metrics(), warning -> {}),
                reporter,
                TrainFixture.noBest());
    }

    GradientSource source(TrainPlan plan, GradientModel of, StateOrigin origin) {
        return new LocalGradientSource(
                plan.batches(),
                of,
                StateHome.inMemory(new Workers(1)),
                origin.read(),
                TrainFixture.reader(rows),
                TrainFixture.reader(rows.subList(0, 5)));
    }

    TrainSummary train(TrainPlan plan, StateStore store, Resume resume, StepWatcher watcher) {
        return trainer(plan, store)
                .run(
                        resume,
                        () -> TrainFixture.freshState(plan, model),
                        state -> new WatchedSource(source(plan, model, state), watcher),
                        parameters -> {});
    }

    byte[] trained(TrainPlan plan) {
        train(plan, states, Resume.NEVER, state -> {});
        return Objects.requireNonNull(states.saved.get((long) STEPS));
    }

    float[] parameters(TrainPlan plan) {
        float[][] result = new float[1][];
        trainer(plan, TrainFixture.noStates())
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan, model),
                        state -> source(plan, model, state),
                        parameters -> result[0] = TrainFixture.values(parameters));
        return result[0];
    }

    static StepWatcher killAfter(int steps) {
        return at(steps, new IllegalStateException("killed"));
    }

    static StepWatcher at(int steps, RuntimeException thrown) {
        return position -> {
            if (position.version() == steps) {
                throw thrown;
            }
        };
    }

    /** Sees where the State is before each step. */
    interface StepWatcher {
        void before(Position position);
    }

    record WatchedSource(GradientSource source, StepWatcher watcher) implements PassingSource {
        @Override
        public StepGradient gradient() {
            watcher.before(source.position());
            return source.gradient();
        }

        @Override
        public StepGradient localRound(TrainPlan plan) {
            watcher.before(source.position());
            return source.localRound(plan);
        }
    }

    /** The value of {@code key} in a line of the metrics. */
    static double number(String key, String line) {
        Matcher number = Pattern.compile("\"%s\":([-0-9.E]+)".formatted(key)).matcher(line);
        assertThat(number.find()).as(line).isTrue();
        return Double.parseDouble(number.group(1));
    }
}
