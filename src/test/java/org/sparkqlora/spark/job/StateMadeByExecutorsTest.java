package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.LastState;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.TrainTriggers;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/** The State that a run of executors begins or goes on with. */
class StateMadeByExecutorsTest {
    private static final int SHARDS = 2;
    private static final int STEPS = 3;

    /** Whose State is 17 MB, two pieces. */
    private static final int VOCABULARY = 1200;

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private static Path folder;

    private static PreparedData rows;

    private final BigramModel model = new BigramModel(VOCABULARY);
    private final List<Long> lost = new ArrayList<>();
    private final List<Long> begun = new ArrayList<>();
    private int readByDriver;
    private Path checkpoints = folder;

    @BeforeAll
    static void prepareRows() {
        rows = CLUSTER.on(
                Clusters.TWO_EXECUTORS, context -> CountingRows.prepare(context, folder.resolve("train"), 200, 1));
    }

    @BeforeEach
    void nameFolder() {
        checkpoints = folder.resolve("checkpoints-" + UUID.randomUUID());
    }

    @Test
    void theDriverMakesNoneWhenARunBegins() {
        byte[] expected = inOneProcess(TrainFixture.noStates());

        assertThat(onExecutors(TrainFixture.noStates(), Resume.NEVER)).isEqualTo(expected);
        assertThat(begun).containsExactly(0L);
        assertThat(readByDriver).isZero();
    }

    @Test
    void theDriverReadsNoneWhenARunGoesOn() throws IOException {
        byte[] expected = inOneProcess(states());
        removeNewest();

        assertThat(onExecutors(new Watched(states(), () -> {}, () -> {}), Resume.REQUIRED))
                .isEqualTo(expected);
        assertThat(begun).containsExactly(2L);
        assertThat(readByDriver).isZero();
    }

    @Test
    void theDriverSendsThatOfACheckpointWhichExecutorsDoNotSee() throws IOException {
        byte[] expected = inOneProcess(states());
        removeNewest();
        Path hidden = folder.resolve("hidden-" + UUID.randomUUID());
        StateStore ofDriver = new Watched(states(), () -> move(checkpoints, hidden), () -> move(hidden, checkpoints));

        assertThat(onExecutors(ofDriver, Resume.REQUIRED)).isEqualTo(expected);
        assertThat(begun).containsExactly(2L);
        assertThat(readByDriver).isEqualTo(1);
        assertThat(lost).isEmpty();
    }

    /** Which the driver has not read: executors find it. */
    @Test
    void aCheckpointThatIsDamagedIsPassedOverForTheOneBefore() throws IOException {
        byte[] expected = inOneProcess(states());
        removeNewest();
        damage("step-2-");

        assertThat(onExecutors(new Watched(states(), () -> {}, () -> {}), Resume.REQUIRED))
                .isEqualTo(expected);
        assertThat(begun).containsExactly(2L, 1L);
        assertThat(lost).containsExactly(2L);
    }

    @Test
    void soItIsWhereTheDriverHasTheState() throws IOException {
        byte[] expected = inOneProcess(states());
        removeNewest();
        damage("step-2-");

        assertThat(inOneProcess(states(), Resume.REQUIRED)).isEqualTo(expected);
        assertThat(begun).containsExactly(1L);
        assertThat(lost).containsExactly(2L);
    }

    @Test
    void aResultIsNotPublishedFromADamagedCheckpoint() {
        byte[] expected = inOneProcess(states());
        damage("step-3-");

        assertThat(inOneProcess(states(), Resume.REQUIRED)).isEqualTo(expected);
        assertThat(begun).containsExactly(3L, 2L);
        assertThat(lost).containsExactly(3L);
    }

    private byte[] onExecutors(StateStore states, Resume resume) {
        return CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            StateOrigin fresh = TrainFixture.madeByExecutors(plan(), () -> {
                readByDriver++;
                return TrainFixture.freshState(plan(), model);
            });
            return train(
                    states,
                    resume,
                    fresh,
                    origin -> ShuffledBigrams.source(context, plan(), origin, VOCABULARY, rows, null));
        });
    }

    /** What a run that begins comes to. */
    private byte[] inOneProcess(StateStore states) {
        byte[] state = inOneProcess(states, Resume.NEVER);
        begun.clear();
        return state;
    }

    private byte[] inOneProcess(StateStore states, Resume resume) {
        try (PreparedRows reader = rows.reader(new Configuration())) {
            return train(
                    states,
                    resume,
                    () -> TrainFixture.freshState(plan(), model),
                    origin -> TrainFixture.inThisProcess(plan(), model, origin.read(), reader, null));
        }
    }

    private byte[] train(
            StateStore states, Resume resume, StateOrigin fresh, Function<StateOrigin, GradientSource> sources) {
        LastState last = new LastState(sources);
        byte[][] published = new byte[1][];
        new Trainer(
                        plan(),
                        new TrainTriggers(Trigger.every(1), Optional.empty(), 0),
                        states,
                        new MetricsFile(folder.resolve(UUID.randomUUID() + ".jsonl"), warning -> {}),
                        reporter(),
                        TrainFixture.noBest())
                .run(resume, fresh, last::open, parameters -> published[0] = last.bytes(parameters));
        return published[0];
    }

    private ProgressReporter reporter() {
        return new ProgressReporter() {
            @Override
            public void started(long step, long steps) {
                begun.add(step);
            }

            @Override
            public void stateLost(long step, String reason) {
                lost.add(step);
            }
        };
    }

    private StateStore states() {
        return new CheckpointStateStore(
                new CheckpointStore(LocalFiles.system(), LocalFiles.path(checkpoints), 3),
                plan(),
                StateHome.inMemory(new Workers(1)),
                warning -> {});
    }

    /**
     * Counts what the driver reads.
     *
     * @param afterRecipe is run before executors read
     * @param beforeRead is run before the driver does
     */
    private final class Watched implements StateStore {
        private final StateStore store;
        private final Runnable afterRecipe;
        private final Runnable beforeRead;

        private Watched(StateStore store, Runnable afterRecipe, Runnable beforeRead) {
            this.store = store;
            this.afterRecipe = afterRecipe;
            this.beforeRead = beforeRead;
        }

        @Override
        public Optional<Stored> newest() {
            return store.newest().map(OfWatched::new);
        }

        @Override
        public Optional<Stored> newestByLength() {
            return store.newestByLength().map(OfWatched::new);
        }

        @Override
        public void save(SavedState state, Optional<StepMetrics> unevaluated) {
            store.save(state, unevaluated);
        }

        private final class OfWatched implements Stored {
            private final Stored stored;

            private OfWatched(Stored stored) {
                this.stored = stored;
            }

            @Override
            public long version() {
                return stored.version();
            }

            @Override
            public Optional<Recipe> recipe() {
                Optional<Recipe> recipe = stored.recipe();
                afterRecipe.run();
                return recipe;
            }

            @Override
            public TrainState read() {
                beforeRead.run();
                readByDriver++;
                return stored.read();
            }

            @Override
            public FlatVector parameters() {
                return stored.parameters();
            }
        }
    }

    /** The run ended before its last step was kept. */
    private void removeNewest() throws IOException {
        for (String name : namesIn(checkpoints)) {
            if (name.startsWith("step-3-") && name.endsWith(".json")) {
                Files.delete(checkpoints.resolve(name));
            }
        }
    }

    private void damage(String checkpoint) {
        Path state = checkpoints
                .resolve(namesIn(checkpoints).stream()
                        .filter(name -> name.startsWith(checkpoint) && !name.endsWith(".json"))
                        .findFirst()
                        .orElseThrow())
                .resolve("state.bin");
        try {
            byte[] bytes = Files.readAllBytes(state);
            bytes[bytes.length / 2] ^= 1;
            Files.write(state, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> namesIn(Path of) {
        try (var names = Files.list(of)) {
            return names.map(name -> name.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static TrainPlan plan() {
        return TrainFixture.plan(new BatchPlan(rows.rows(), 8, 2, SHARDS, BatchPlan.RowOrder.SHUFFLED, 8L * STEPS, 1));
    }
}
