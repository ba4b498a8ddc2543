package org.sparkqlora.spark.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.sparkqlora.spark.job.MemoryPlans.GIB;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.job.MemoryPlans;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

class ClusterCheckTest {
    private static final GradientSize LARGE = new GradientSize(100_000_000L, 4, GradientDtype.FP32);

    @Test
    void everythingThatIsMissingIsNamedAtOnce() {
        ClusterNeeds needs =
                new ClusterNeeds(new MissingModel(), List.of("/no/such/folder"), 4, 4, MemoryPlans.of(64 * GIB, 1, 1));
        ExchangeChoice choice = new ExchangeChoice(ExchangeKind.COLLECT, LARGE, GIB, "as asked for");

        CheckReport report =
                Clusters.on(Clusters.TWO_SLOTS, context -> new ClusterCheck(context).report(needs, choice));

        assertThat(report.problems())
                .containsSubsequence(
                        "Cannot exchange gradients by collect, 1600262144 bytes at once: spark.driver.maxResultSize is 1073741824. Raise it, or take --exchange auto.",
                        "Cannot send a result of 400065536 bytes to the driver: spark.kryoserializer.buffer.max is 67108864. Raise it (2047m is the most), or take --exchange auto.")
                .contains(
                        "executor driver on 127.0.0.1: Cannot open model m: expected a folder",
                        "executor driver on 127.0.0.1: Cannot see /no/such/folder: expected the folder that the driver sees. Take one on a file system that all share.")
                .anySatisfy(problem -> assertThat(problem)
                        .startsWith("driver: Cannot hold 65536 MiB in a heap of")
                        .endsWith("Raise spark.driver.memory."));
    }

    @Test
    void executorsTellOfTheirOwnHeapAndFlags(@TempDir java.nio.file.Path folder) {
        ClusterNeeds needs =
                new ClusterNeeds(new BigramSource(), List.of(folder.toString()), 2, 2, MemoryPlans.of(GIB, 1, 1));
        try (JavaSparkContext context = Clusters.start(
                Clusters.TWO_EXECUTORS,
                Map.of("spark.executor.memory", "512m", "spark.executor.extraJavaOptions", "-Dplain=true"))) {
            ExchangeChoice choice = ExchangeChoice.of(
                    ExchangeKind.AUTO, new GradientSize(256, 2, GradientDtype.FP32), context.getConf());

            CheckReport report = new ClusterCheck(context).report(needs, choice);

            assertThat(report.problems())
                    .isNotEmpty()
                    .allSatisfy(problem -> assertThat(problem)
                            .startsWith("executor ")
                            .contains("Cannot hold 1024 MiB in a heap of")
                            .endsWith("Raise spark.executor.memory."));
            assertThat(report.advice())
                    .singleElement()
                    .asString() // Spark 4 adds the vector module itself
                    .startsWith("The executors would be slow: add ")
                    .endsWith(
                            "-Dorg.bytedeco.javacpp.nopointergc=true to spark.executor.extraJavaOptions, as spark-conf/ does.");
        }
    }

    private record MissingModel() implements ModelSource {
        @Override
        public String key() {
            return "missing";
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
            return Optional.of("Cannot open model m: expected a folder");
        }

        @Override
        public GradientModel open(int threads) {
            return new BigramModel();
        }
    }
}
