package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.sparkqlora.spark.job.ShardedRuns.EXECUTORS;
import static org.sparkqlora.spark.job.ShardedRuns.STEPS;
import static org.sparkqlora.spark.job.ShardedRuns.hash;
import static org.sparkqlora.spark.job.ShardedRuns.steps;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/** A State whose owners are lost, or that they do not come to make. */
@Timeout(600)
class LostOwnersTest {
    @TempDir
    private static Path folder;

    private static JavaSparkContext context;
    private static PreparedData rows;

    private ShardedRuns runs;

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(ShardedRuns.THREE_EXECUTORS);
        rows = ShardedRuns.rows(context, folder);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @BeforeEach
    void awaitExecutors() {
        runs = new ShardedRuns(folder, rows);
        Clusters.awaitExecutors(context, EXECUTORS);
    }

    @Test
    void oneOfThemCostsNoStep() {
        String expected = runs.trainInOneProcess();

        assertThat(runs.train(context, Resume.NEVER, step -> {
                    if (step <= 2) {
                        replaced(Clusters::killOneExecutor);
                    }
                }))
                .isEqualTo(expected);
        assertThat(runs.lost).isEmpty();
    }

    @Test
    void allOfThemCostTheStepsSinceTheNewestCheckpoint() {
        String expected = runs.trainInOneProcess();

        assertThat(runs.train(context, Resume.NEVER, step -> {
                    if (step == 5 && runs.lost.isEmpty()) {
                        replaced(Clusters::killAllExecutors);
                    }
                }))
                .isEqualTo(expected);
        assertThat(runs.lost).hasSize(1).isSubsetOf(2L, 4L);
        assertThat(runs.begun).containsExactly(0L, runs.lost.get(0));
    }

    /** Nobody else has fetched its parts of the sum by then. */
    @Test
    void aSumThatIsLostBeforeTheUpdateIsComputedAgain() {
        try (GradientSource source = runs.source(context)) {
            steps(source, 1);
            for (int i = 1; i < STEPS; i++) {
                StepGradient sum = source.gradient();
                replaced(Clusters::killOneExecutor);
                source.apply(new Update(source.position().version(), sum.gradient(), 0.01f, 0.1));
                sum.gradient().close();
            }

            assertThat(hash(source)).isEqualTo(runs.inOneProcess(STEPS));
        }
    }

    @Test
    void whatIsLostWithAllIsSaid() {
        try (GradientSource source = runs.source(context)) {
            steps(source, 1);
            StepGradient sum = source.gradient();
            replaced(Clusters::killAllExecutors);

            assertThatThrownBy(() -> source.apply(new Update(source.position().version(), sum.gradient(), 0.01f, 0.1)))
                    .isInstanceOf(UnreachableStateException.class)
                    .hasMessageContaining("the parameters of version 1 are lost");
        }
    }

    @Test
    void anUpdateThatIsCancelledEndsAtOnceAndChangesNothing() {
        try (GradientSource source = runs.source(context)) {
            CompletableFuture<Void> cancelling = CompletableFuture.runAsync(() -> {
                await("a job").until(() -> context.statusTracker().getActiveJobIds().length > 0);
                context.cancelAllJobs();
            });

            assertThatThrownBy(() -> source.apply(
                            new Update(0, new NeverThere(runs.model.parameters().size()), 1f, 0.1)))
                    .isInstanceOf(CancellationException.class)
                    .hasMessageContaining("cancelled");
            cancelling.join();
            steps(source, STEPS);
            assertThat(hash(source)).isEqualTo(runs.inOneProcess(STEPS));
        }
    }

    /** A sum for which a task waits until it is interrupted. */
    private record NeverThere(long length) implements SummedGradient {
        private static final long serialVersionUID = 1L;
        private static final long LONG_MILLIS = 60_000;

        @Override
        public double squares() {
            return 1;
        }

        @Override
        public FlatVector vector() {
            try {
                Thread.sleep(LONG_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }

            throw new IllegalStateException("nobody has these numbers");
        }

        @Override
        public void close() {}
    }

    /** Others have taken the place of the executors that {@code kill} ended. */
    private static void replaced(Runnable kill) {
        List<ExecutorPlace> before = ExecutorPlace.all();
        kill.run();
        await("other executors")
                .atMost(Clusters.LONGEST_WAIT)
                .until(ExecutorPlace::all, places -> places.size() == EXECUTORS && !places.equals(before));
    }
}
