package org.sparkqlora.spark.job;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.run.model.FirstState;
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
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.LastState;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * Runs of one plan: a tiny Llama with adapters over four bits, its optimiser state in files, which trains on four shards. They
 * differ only in where they run and what happens to them.
 */
public record LlamaRuns(Path folder, PreparedData rows, boolean isSharded) {
    static final int STEPS = 5;
    static final int SHARDS = 4;

    private static final int WIDTH = 24;
    private static final int ROWS_A_SHARD = 2;
    private static final Paging IN_FILE = new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW);

    /** Rotates the snapshot twice in a run. */
    private static final SnapshotPolicy OFTEN = new SnapshotPolicy(2, 1L << 30);

    private static final ModelSpec QLORA =
            new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));

    /** Prepares the rows below {@code folder}. */
    public static LlamaRuns in(Path folder) throws IOException {
        Files.write(folder.resolve("train.jsonl"), countingLines(60));
        PreparedData rows = Clusters.on(
                Clusters.ONE_SLOT,
                context -> new DataPreparation(context, null)
                        .prepare(
                                List.of(folder.resolve("train.jsonl").toString()),
                                new NumbersEncoder("numbers"),
                                new PreparationOptions(WIDTH, Packing.PACKED, OnBadRecord.FAIL),
                                folder.resolve("rows").toString()));
        return new LlamaRuns(folder, rows, false);
    }

    /** Those whose executors shard the optimiser's state, where they hold it. */
    LlamaRuns sharded() {
        return new LlamaRuns(folder, rows, true);
    }

    public ModelSource model() {
        return new FolderModelSource(base().toString(), QLORA, ModelCache.at(folder.resolve("cache")));
    }

    /**
     * Trains to the end.
     *
     * @param afterStep is told each step that is done
     * @return SHA-256 of the whole State at the end
     */
    public String train(JavaSparkContext context, ModelSource model, ExchangeKind exchange, LongConsumer afterStep) {
        String[] digest = new String[1];
        LastState last = new LastState(started -> source(context, model, exchange, started));
        ProgressReporter reporter = new ProgressReporter() {
            @Override
            public void stepDone(StepMetrics step) {
                afterStep.accept(step.step());
            }
        };
        new Trainer(
                        plan(),
                        TrainFixture.atEnd(),
                        TrainFixture.noStates(),
                        new MetricsFile(metrics(), warning -> {}),
                        reporter,
                        TrainFixture.noBest())
                .run(
                        Resume.NEVER,
                        TrainFixture.madeByExecutors(plan(), this::fresh),
                        last::open,
                        parameters -> digest[0] = Sha256.hex(last.bytes(parameters)));
        return digest[0];
    }

    private SparkGradientSource source(
            JavaSparkContext context, ModelSource model, ExchangeKind exchange, StateOrigin origin) {
        ParameterIndex index = FirstState.index(model(), 1);
        GradientSize size = new GradientSize(index.size(), SHARDS, GradientDtype.FP32);
        return new SparkGradientSource(
                context,
                new TrainingRun(plan(), model, rows, null, IN_FILE, OFTEN, isSharded ? index : null),
                origin,
                ExchangeChoice.of(exchange, size, context.getConf()));
    }

    private TrainState fresh() {
        StateHome home = new StateHome(new Workers(1), IN_FILE, folder.resolve("scratch"));
        TrainPlan plan = plan();
        try (GradientModel model = model().open(1)) {
            return TrainState.fresh(
                    model.initialParameters(plan.seed()), model.parameters(), plan.optimizer(), plan.seed(), home);
        }
    }

    private Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    private TrainPlan plan() {
        int batch = SHARDS * ROWS_A_SHARD;
        BatchPlan batches =
                new BatchPlan(rows.rows(), batch, 1, SHARDS, BatchPlan.RowOrder.SHUFFLED, (long) batch * STEPS);
        return new TrainPlan(
                "llama-tied",
                QLORA,
                null,
                rows.manifest().fingerprint(),
                batches,
                new OptimizerSpec(OptimizerKind.PAGED_ADAMW_8BIT, 0.9, 0.999, 1e-8, 0),
                new Schedule(ScheduleKind.CONSTANT, 5e-3, 0, STEPS),
                GradientDtype.FP32,
                0.3,
                42);
    }

    /** The folder of the Llama. */
    static Path base() {
        try {
            return Path.of(LlamaRuns.class
                    .getResource("/goldens/models/llama-tied/base")
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> countingLines(int count) {
        SplittableRandom random = new SplittableRandom(7);
        return Stream.generate(() -> countingLine(random)).limit(count).toList();
    }

    private static String countingLine(SplittableRandom random) {
        int first = random.nextInt(20);
        return IntStream.range(first, first + random.nextInt(4, 20))
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(" "));
    }
}
