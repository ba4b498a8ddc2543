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
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.checkpoint.GatedStore;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.LastState;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.SavedState.StateParts;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;

/** A checkpoint that executors write beside the steps that follow it. */
@Timeout(600)
class WrittenByExecutorsTest {
    private static final int SHARDS = 3;
    private static final int STEPS = 2;

    /** Of a run that ends. */
    private static final int ALL_STEPS = 6;

    /** More than an executor takes for a file, however busy the machine is. */
    private static final int MANY_STEPS = 1000;

    /** Whose State is 17 MB, two pieces. */
    private static final int VOCABULARY = 1200;

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private static Path folder;

    private static PreparedData rows;

    private final BigramModel model = new BigramModel(VOCABULARY);
    private Path checkpoints = folder;
    private Path gate = folder;

    @BeforeAll
    static void prepareRows() {
        rows = CLUSTER.on(
                Clusters.TWO_EXECUTORS, context -> CountingRows.prepare(context, folder.resolve("train"), 200, 1));
    }

    @BeforeEach
    void nameFolders() {
        checkpoints = folder.resolve("checkpoints-" + UUID.randomUUID());
        gate = folder.resolve("gate-" + UUID.randomUUID());
    }

    @Test
    void isTheStateBeforeTheUpdatesThatCameWhileItWasWritten() {
        onCluster(running -> {
            SavedState saved = running.save();
            ShuffledBigrams.step(running.source());
            ShuffledBigrams.step(running.source());
            CompletableFuture<Optional<StateParts>> parts = CompletableFuture.supplyAsync(saved::parts);
            ShuffledBigrams.step(running.source());
            assertThat(parts).isNotDone();

            GatedStore.open(gate);
            saved.settle();
            assertKeptInParts(running, saved);
        });
    }

    private void assertKeptInParts(Running running, SavedState saved) {
        assertThat(saved.parts().orElseThrow().files()).hasSize(2);
        running.states().save(saved);
        saved.release();
        assertThat(partNames()).hasSize(2).allMatch(name -> name.startsWith("state-00"));
        assertThat(newest(running)).isEqualTo(inOneProcess(STEPS));
    }

    @Test
    void tasksOfLaterStepsTellWhatIsWritten() {
        onCluster(running -> {
            GatedStore.open(gate);
            SavedState saved = running.save();
            CompletableFuture<Optional<StateParts>> parts = CompletableFuture.supplyAsync(saved::parts);
            while (!parts.isDone()) {
                ShuffledBigrams.step(running.source());
            }

            assertThat(parts.join().orElseThrow().files()).hasSize(2);
            saved.release();
        });
    }

    @Test
    void isWrittenAtOnceWhereNoStepFollows() {
        onCluster(running -> {
            GatedStore.open(gate);
            SavedState saved = running.source().saved(running.states()::draft);
            assertKeptInParts(running, saved);
        });
    }

    @Test
    void theDriverWritesTheLastOneWhereExecutorsDoNotSeeTheFolder() throws IOException {
        onCluster(running -> {
            GatedStore.open(gate);
            running.states().claim();
            hideClaim();
            SavedState saved = running.source().saved(running.states()::draft);
            assertThat(saved.parts()).isEmpty();

            showClaim();
            running.states().save(saved);
            saved.release();
            assertThat(partNames()).containsExactly("state.bin");
            assertThat(newest(running)).isEqualTo(inOneProcess(STEPS));
        });
    }

    @Test
    void theDriverWritesItWhereExecutorsDoNotSeeTheFolder() throws IOException {
        onCluster(running -> {
            GatedStore.open(gate);
            SavedState saved = running.save();
            hideClaim();
            ShuffledBigrams.step(running.source());
            ShuffledBigrams.step(running.source());
            saved.settle();
            assertThat(saved.parts()).isEmpty();

            showClaim();
            running.states().save(saved);
            saved.release();
            assertThat(partNames()).containsExactly("state.bin");
            assertThat(newest(running)).isEqualTo(inOneProcess(STEPS));
        });
    }

    /** Its part may be left again by those who compute the step again, or be lost. */
    @Test
    void anExecutorThatIsKilledWhileItWritesCostsNoTrainingAndLeavesNoWrongCheckpoint() {
        onCluster(running -> {
            SavedState saved = running.save();
            ShuffledBigrams.step(running.source());
            Clusters.killOneExecutor();
            Clusters.awaitExecutors(running.context(), 2);
            ShuffledBigrams.step(running.source());
            GatedStore.open(gate);
            saved.settle();
            try {
                running.states().save(saved);
            } catch (UnreachableStateException e) {
                assertThat(e).hasMessage("the State of version 2 is lost");
                running.states().save(running.source().saved());
            }

            saved.release();
            try (TrainState kept = running.states().newest().orElseThrow().read()) {
                assertThat(kept.version()).isIn(2L, 4L);
                assertThat(hash(kept)).isEqualTo(inOneProcess((int) kept.version()));
            }
        });
    }

    @Test
    void aRunGoesOnFromItToTheSameBytes() {
        List<String> published = new ArrayList<>();
        List<Long> kept = new ArrayList<>();
        CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            GatedStore.install(context.hadoopConfiguration(), gate);
            GatedStore.open(gate);
            train(context, Resume.NEVER, kept, published);
            assertThat(kept).containsExactly(2L, 4L, 6L);
            assertThat(partNames()).hasSize(2).allMatch(name -> name.startsWith("state-00"));
            removeNewest();
            assertThat(partNames()).hasSize(2).allMatch(name -> name.startsWith("state-00"));
            train(context, Resume.REQUIRED, kept, published);
            return true;
        });

        assertThat(kept).containsExactly(2L, 4L, 6L, 6L);
        assertThat(published).hasSize(2);
        assertThat(published.get(1)).isEqualTo(published.get(0));
    }

    private void train(JavaSparkContext context, Resume resume, List<Long> kept, List<String> published) {
        LastState last = new LastState(origin -> source(context, origin, plan()));
        new Trainer(
                        plan(),
                        TrainFixture.triggers(Trigger.every(2), Trigger.every(0)),
                        states(context),
                        new MetricsFile(folder.resolve("metrics-" + published.size() + ".jsonl"), warning -> {}),
                        new ProgressReporter() {
                            @Override
                            public void checkpointed(long step) {
                                kept.add(step);
                            }
                        },
                        TrainFixture.noBest())
                .run(
                        resume,
                        () -> TrainFixture.freshState(plan(), model),
                        last::open,
                        parameters -> published.add(Sha256.hex(last.bytes(parameters))));
    }

    private record Running(JavaSparkContext context, GradientSource source, CheckpointStateStore states) {
        SavedState save() {
            return source.savedByNextStep(states::draft);
        }
    }

    /** At version {@value #STEPS}, with the gate closed. */
    private void onCluster(Consumer<Running> body) {
        Boolean ended = CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            Clusters.awaitExecutors(context, 2);
            GatedStore.install(context.hadoopConfiguration(), gate);
            try (GradientSource source =
                    source(context, () -> TrainFixture.freshState(plan(), model), plan(MANY_STEPS))) {
                for (int i = 0; i < STEPS; i++) {
                    ShuffledBigrams.step(source);
                }

                body.accept(new Running(context, source, states(context)));
            }

            return true;
        });
        assertThat(ended).isTrue();
    }

    private static GradientSource source(JavaSparkContext context, StateOrigin origin, TrainPlan plan) {
        return ShuffledBigrams.source(context, plan, origin, VOCABULARY, rows, null);
    }

    private CheckpointStateStore states(JavaSparkContext context) {
        try {
            org.apache.hadoop.fs.Path path = GatedStore.path(checkpoints);
            FileSystem files = path.getFileSystem(context.hadoopConfiguration());
            return new CheckpointStateStore(
                    new CheckpointStore(files, path, 2), plan(), StateHome.inMemory(new Workers(1)), warning -> {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String newest(Running running) {
        try (TrainState state = running.states().newest().orElseThrow().read()) {
            return hash(state);
        }
    }

    private static String hash(SavedState state) {
        return Sha256.hex(TrainFixture.bytes(state));
    }

    private List<String> partNames() {
        return namesIn(namesIn(checkpoints).stream()
                .map(checkpoints::resolve)
                .filter(Files::isDirectory)
                .reduce((first, last) -> last)
                .orElseThrow());
    }

    private void removeNewest() {
        for (String name : namesIn(checkpoints)) {
            if (name.startsWith("step-6-") && name.endsWith(".json")) {
                delete(checkpoints.resolve(name));
            }
        }

        Path unpublished = checkpoints.resolve(namesIn(checkpoints).stream()
                .filter(name -> name.startsWith("step-6-"))
                .findFirst()
                .orElseThrow());
        namesIn(unpublished).forEach(name -> delete(unpublished.resolve(name)));
        delete(unpublished);
    }

    private void hideClaim() {
        move(checkpoints.resolve("attempt-1"), gate);
    }

    private void showClaim() {
        move(gate, checkpoints.resolve("attempt-1"));
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
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

    private String inOneProcess(int steps) {
        return Sha256.hex(ShuffledBigrams.inOneProcess(plan(), model, rows, steps));
    }

    private static TrainPlan plan() {
        return plan(ALL_STEPS);
    }

    private static TrainPlan plan(int steps) {
        return TrainFixture.plan(new BatchPlan(rows.rows(), 8, 2, SHARDS, BatchPlan.RowOrder.SHUFFLED, 8L * steps, 1));
    }
}
