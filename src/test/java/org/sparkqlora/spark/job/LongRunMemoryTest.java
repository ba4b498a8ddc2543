package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.PairFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.DataPreparation;
import org.sparkqlora.spark.prepare.NumbersEncoder;
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import scala.Tuple2;

/** Broadcasts, shuffle files, listeners: what a step leaves behind would show in the heaps of a long run. */
class LongRunMemoryTest {
    private static final int STEPS = 100;
    private static final int SETTLED = 50;

    /** An update takes 144 KiB, as a value and again as a broadcast's piece: 14 MiB in the 50 steps between the looks. */
    private static final int VOCABULARY = 192;

    /** Room for memory that is first used late or freed late: up to 0.4 MiB. */
    private static final long ROOM = 2L << 20;

    private static final int LOOKS = 3;
    private static final long BETWEEN_NANOS = 200_000_000;

    /** Jobs that Spark remembers for its pages: fewer than are taken before the first look. */
    private static final Map<String, String> SHORT_MEMORY =
            Map.of("spark.ui.retainedJobs", "20", "spark.ui.retainedStages", "20", "spark.ui.retainedTasks", "40");

    @TempDir
    private Path folder;

    @Test
    void aHundredStepsLeaveNothingBehind() throws IOException {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_EXECUTORS, SHORT_MEMORY)) {
            Heaps heaps = new Heaps(context);
            train(context, heaps);

            assertThat(heaps.before).hasSize(3);
            assertThat(heaps.after.keySet()).isEqualTo(heaps.before.keySet());
            heaps.after.forEach((process, bytes) ->
                    assertThat(bytes).as(process).isLessThan(heaps.before.getOrDefault(process, 0L) + ROOM));
        }
    }

    private void train(JavaSparkContext context, Heaps heaps) throws IOException {
        PreparedData rows = prepare(context);
        BatchPlan batches = new BatchPlan(rows.rows(), 4, 2, 2, BatchPlan.RowOrder.SHUFFLED, 4L * STEPS);
        TrainPlan plan = TrainFixture.plan(batches);
        TrainingRun run = new TrainingRun(
                plan, new BigramSource(VOCABULARY), rows, null, Paging.DEFAULT, SnapshotPolicy.DEFAULT, null);
        GradientSize size = new GradientSize(VOCABULARY * VOCABULARY, 2, GradientDtype.FP32);
        ExchangeChoice exchange = ExchangeChoice.of(ExchangeKind.SHUFFLE, size, context.getConf());
        new Trainer(
                        plan,
                        TrainFixture.atEnd(),
                        TrainFixture.noStates(),
                        new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                        heaps,
                        TrainFixture.noBest())
                .run(
                        Resume.NEVER,
                        () -> TrainFixture.freshState(plan, new BigramModel(VOCABULARY)),
                        origin -> new SparkGradientSource(context, run, origin, exchange),
                        parameters -> {});
    }

    private PreparedData prepare(JavaSparkContext context) throws IOException {
        Path lines = folder.resolve("lines");
        Files.write(lines, Collections.nCopies(40, "1 2 3 4 5 6 7 8"));
        return new DataPreparation(context, null)
                .prepare(
                        List.of(lines.toString()),
                        new NumbersEncoder("numbers"),
                        new PreparationOptions(16, Packing.PACKED, OnBadRecord.FAIL),
                        folder.resolve("prepared").toString());
    }

    /** Looks at what lives in every process, once training has settled and at its end. */
    private static final class Heaps implements ProgressReporter {
        private final JavaSparkContext context;
        private Map<String, Long> before = Map.of();
        private Map<String, Long> after = Map.of();

        private Heaps(JavaSparkContext context) {
            this.context = context;
        }

        @Override
        public void stepDone(StepMetrics step) {
            if (step.step() == SETTLED) {
                before = ofAll();
            } else if (step.step() == STEPS) {
                after = ofAll();
            }
        }

        private Map<String, Long> ofAll() {
            Map<String, Long> all = new TreeMap<>();
            List<Integer> tasks = IntStream.range(0, 8).boxed().toList();
            context.parallelize(tasks, tasks.size())
                    .mapToPair(new LiveBytes())
                    .collect()
                    .forEach(pair -> all.merge(pair._1(), pair._2(), Math::min));
            all.put("driver", LiveBytes.ofProcess());
            return all;
        }
    }

    /** Runs in a task. */
    private static final class LiveBytes implements PairFunction<Integer, String, Long> {
        private static final long serialVersionUID = 1L;

        @Override
        public Tuple2<String, Long> call(Integer task) {
            return new Tuple2<>("executor " + SparkEnv.get().executorId(), ofProcess());
        }

        /** The least of a few looks: what Spark's cleaner lets go, another collection finds. */
        private static long ofProcess() {
            return LongStream.generate(LiveBytes::afterCollection)
                    .limit(LOOKS)
                    .min()
                    .orElseThrow();
        }

        private static long afterCollection() {
            System.gc();
            Runtime process = Runtime.getRuntime();
            long live = process.totalMemory() - process.freeMemory();
            LockSupport.parkNanos(BETWEEN_NANOS);
            return live;
        }
    }
}
