package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataOutputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
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
import org.sparkqlora.train.PassingSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;

/** What a driver whose executors have the State fetches to publish a result. */
class PublishedParametersTest {
    private static final int SHARDS = 2;
    private static final int STEPS = 2;

    /** Whose State is 17 MB, of which the first 6 MB are parameters: two pieces. */
    private static final int VOCABULARY = 1200;

    private static final String PARAMETERS = "state_2_0";
    private static final String MOMENTS = "state_2_1";

    /** In which both executors get tasks. */
    private static final long PAUSE = 100;

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private static Path folder;

    private static PreparedData rows;

    private final BigramModel model = new BigramModel(VOCABULARY);

    @BeforeAll
    static void prepareRows() {
        rows = CLUSTER.on(
                Clusters.TWO_EXECUTORS, context -> CountingRows.prepare(context, folder.resolve("train"), 200, 1));
    }

    /** Nobody has the moments any more, and nobody misses them. */
    @Test
    void areAllThatTheDriverFetches() {
        float[] expected = inOneProcess();
        float[] published = CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            List<float[]> values = new ArrayList<>();
            train(context, TrainFixture.noStates(), ProgressReporter.silent(), values, source -> {
                SavedState saved = source.saved();
                forget(context, MOMENTS);
                float[] fetched = TrainFixture.values(source.parameters());

                assertThatThrownBy(() -> saved.write(new DataOutputStream(OutputStream.nullOutputStream())))
                        .isInstanceOf(UnreachableStateException.class)
                        .hasMessage("the State of version 2 is lost");
                saved.release();
                return fetched;
            });
            return values.get(0);
        });

        assertThat(published).isEqualTo(expected);
    }

    @Test
    void comeFromTheLastCheckpointWhereExecutorsHaveLostThem() {
        float[] expected = inOneProcess();
        List<Long> lost = new ArrayList<>();
        List<float[]> published = new ArrayList<>();
        ProgressReporter reporter = new ProgressReporter() {
            @Override
            public void stateLost(long step, String reason) {
                lost.add(step);
            }
        };
        Integer sources = CLUSTER.on(
                Clusters.TWO_EXECUTORS,
                context -> train(context, states(), reporter, published, source -> {
                    forget(context, PARAMETERS);
                    return TrainFixture.values(source.parameters());
                }));

        assertThat(lost).containsExactly((long) STEPS);
        assertThat(sources).isEqualTo(1);
        assertThat(published).hasSize(1);
        assertThat(published.get(0)).isEqualTo(expected);
    }

    /** To the end, where {@code last} gives the values of the source; tells how many sources there were. */
    private int train(
            JavaSparkContext context,
            StateStore states,
            ProgressReporter reporter,
            List<float[]> published,
            Function<GradientSource, float[]> last) {
        List<GradientSource> sources = new ArrayList<>();
        new Trainer(
                        plan(),
                        TrainFixture.atEnd(),
                        states,
                        new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                        reporter,
                        TrainFixture.noBest())
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan(), model),
                        origin -> {
                            sources.add(ShuffledBigrams.source(context, plan(), origin, VOCABULARY, rows, null));
                            return new Watched(sources.get(sources.size() - 1), last);
                        },
                        parameters -> published.add(TrainFixture.values(parameters)));
        return sources.size();
    }

    private record Watched(GradientSource source, Function<GradientSource, float[]> last) implements PassingSource {
        @Override
        public FlatVector parameters() {
            return FlatVector.of(last.apply(source));
        }
    }

    private static StateStore states() {
        return new CheckpointStateStore(
                new CheckpointStore(LocalFiles.system(), LocalFiles.path(folder.resolve("checkpoints")), 2),
                plan(),
                StateHome.inMemory(new Workers(1)),
                warning -> {});
    }

    /** Whoever has the block of that name has it no more. */
    private static void forget(JavaSparkContext context, String name) {
        List<Integer> tasks = IntStream.range(0, 4).boxed().toList();
        int forgotten = context.parallelize(tasks, tasks.size())
                .map(task -> {
                    Thread.sleep(PAUSE);
                    return forgetHere(name);
                })
                .reduce(Integer::sum);
        assertThat(forgotten).isPositive();
    }

    private static int forgetHere(String name) {
        BlockManager blocks = SparkEnv.get().blockManager();
        scala.collection.Seq<BlockId> found =
                blocks.getMatchingBlockIds(id -> id.name().endsWith(name));
        for (int i = 0; i < found.size(); i++) {
            blocks.removeBlock(found.apply(i), false);
        }

        return found.size();
    }

    private float[] inOneProcess() {
        List<float[]> published = new ArrayList<>();
        try (PreparedRows reader = rows.reader(new Configuration())) {
            new Trainer(
                            plan(),
                            TrainFixture.atEnd(),
                            TrainFixture.noStates(),
                            new MetricsFile(folder.resolve("reference.jsonl"), warning -> {}),
                            ProgressReporter.silent(),
                            TrainFixture.noBest())
                    .run(
                            Resume.NEVER,
                            () -> TrainFixture.freshState(plan(), model),
                            origin -> TrainFixture.inThisProcess(plan(), model, origin.read(), reader, null),
                            parameters -> published.add(TrainFixture.values(parameters)));
        }

        return published.get(0);
    }

    private static TrainPlan plan() {
        return TrainFixture.plan(new BatchPlan(rows.rows(), 8, 2, SHARDS, BatchPlan.RowOrder.SHUFFLED, 8L * STEPS, 1));
    }
}
