package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.sparkqlora.spark.job.ShardedRuns.STEPS;
import static org.sparkqlora.spark.job.ShardedRuns.VOCABULARY;
import static org.sparkqlora.spark.job.ShardedRuns.hash;
import static org.sparkqlora.spark.job.ShardedRuns.steps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;

/** A State of which each executor owns a part. */
@Timeout(600)
class ShardedStateTest {
    private static final Paging IN_FILE = new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW);

    /** Blocks on a disk are encrypted, as the shipped settings have it. */
    private static final Map<String, String> ENCRYPTED = Map.of("spark.io.encryption.enabled", "true");

    @TempDir
    private static Path folder;

    private static JavaSparkContext context;
    private static PreparedData rows;

    private ShardedRuns runs;

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(ShardedRuns.THREE_EXECUTORS, ENCRYPTED);
        rows = ShardedRuns.rows(context, folder);
        Clusters.awaitExecutors(context, ShardedRuns.EXECUTORS);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @BeforeEach
    void beginRuns() {
        runs = new ShardedRuns(folder, rows);
    }

    @ParameterizedTest(name = "by {0} with pages in {1}")
    @CsvSource({"ADAMW,MEMORY", "PAGED_ADAMW_8BIT,MEMORY", "PAGED_ADAMW_8BIT,FILE", "LION_8BIT,MEMORY"})
    void comesToTheBytesThatOneProcessComesTo(OptimizerKind kind, PagePlace place) {
        TrainPlan plan = runs.plan(kind);
        Paging paging = place == PagePlace.FILE ? IN_FILE : Paging.DEFAULT;
        try (GradientSource source = runs.source(context, plan, runs.madeByExecutors(plan), paging)) {
            steps(source, STEPS);

            assertThat(TrainFixture.values(source.parameters())).hasSize(VOCABULARY * VOCABULARY);
            assertThat(hash(source)).isEqualTo(runs.inOneProcess(plan, STEPS));
        }
    }

    @Test
    void beginsWithAStateThatTheDriverSends() {
        TrainPlan plan = runs.plan(OptimizerKind.ADAMW_8BIT);
        try (GradientSource source = runs.source(context, plan, runs.sentByDriver(), Paging.DEFAULT)) {
            assertThat(hash(source)).isEqualTo(runs.inOneProcess(0));

            steps(source, STEPS);
            assertThat(hash(source)).isEqualTo(runs.inOneProcess(STEPS));
        }
    }

    @Test
    void aCheckpointIsTheStateBeforeTheUpdatesThatCameWhileItWasWritten() {
        CheckpointStateStore states = runs.states();
        try (GradientSource source = runs.source(context)) {
            steps(source, 2);
            SavedState saved = source.savedByNextStep(states::draft);
            steps(source, STEPS - 2);
            saved.settle();

            assertThat(saved.version()).isEqualTo(2);
            assertThat(saved.parts().orElseThrow().files()).hasSize(ShardedRuns.SHARDS);
            assertThat(kept(states, saved)).isEqualTo(runs.inOneProcess(2));
            assertThat(hash(source)).isEqualTo(runs.inOneProcess(STEPS));
        }
    }

    /** Neighbouring parts that one of their owners has go to one file. */
    @Test
    void ownersWriteItAtOnceWhereNoStepFollows() {
        CheckpointStateStore states = runs.states();
        try (GradientSource source = runs.source(context)) {
            steps(source, 1);
            SavedState saved = source.saved(states::draft);

            assertThat(saved.parts().orElseThrow().files()).hasSizeLessThan(2 * ShardedRuns.EXECUTORS);
            assertThat(kept(states, saved)).isEqualTo(runs.inOneProcess(1));
        }
    }

    private static String kept(CheckpointStateStore states, SavedState saved) {
        states.save(saved);
        saved.release();
        try (TrainState kept = states.newest().orElseThrow().read()) {
            return Sha256.hex(TrainFixture.bytes(kept));
        }
    }

    @Test
    void aRunGoesOnFromACheckpointThatExecutorsWrote() throws IOException {
        String expected = runs.trainInOneProcess();
        assertThat(runs.train(context, Resume.NEVER, step -> {})).isEqualTo(expected);
        removeNewest();

        assertThat(runs.train(context, Resume.REQUIRED, step -> {})).isEqualTo(expected);
        assertThat(runs.begun).containsExactly(0L, 4L);
    }

    /** The run ended before its last step was kept. */
    private void removeNewest() throws IOException {
        try (var names = Files.list(runs.checkpoints)) {
            List<Path> commits = names.filter(
                            path -> path.getFileName().toString().matches("step-" + STEPS + "-.*json"))
                    .toList();
            assertThat(commits).hasSize(1);
            Files.delete(commits.get(0));
        }
    }
}
