package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.adapter.PissaOloraFactors;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
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
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.FactorFolder;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
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
import org.sparkqlora.train.metrics.TrainSummary;
import org.sparkqlora.weights.WeightFolder;

/** Training of a small Llama, and of a small Qwen 3 with experts, on clusters of several sizes. */
class DecoderTrainingTest {
    private static final int STEPS = 8;
    private static final Path EXPERTS_BASE =
            Path.of("src/test/resources/goldens/models/qwen3_moe/base").toAbsolutePath();
    private static final Paging IN_FILE = new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW);

    /** The model that is trained. */
    private enum Way {
        QLORA(qlora(Precision.BF16, LoraSpec.allLinear(4, 8))),
        EXPERTS(qlora(Precision.BF16, LoraSpec.allLinear(4, 8)), EXPERTS_BASE),
        HALVES(qlora(Precision.FP16, LoraSpec.allLinear(4, 8))),
        PISSA(qlora(Precision.BF16, LoraSpec.allLinear(4, 8).withInitialization(FactorInitialization.parse("pissa")))),
        FULL(new ModelSpec(Method.FULL, Precision.BF16, QuantSpec.DEFAULT, null));

        private final ModelSpec spec;
        private final Path base;

        Way(ModelSpec spec) {
            this(spec, LlamaRuns.base());
        }

        Way(ModelSpec spec, Path base) {
            this.spec = spec;
            this.base = base;
        }

        private static ModelSpec qlora(Precision precision, LoraSpec lora) {
            return new ModelSpec(Method.QLORA, precision, QuantSpec.DEFAULT, lora);
        }
    }

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    /** Trained one task after the other. */
    private static final Map<Way, float[]> REFERENCES = new EnumMap<>(Way.class);

    @TempDir
    private static Path folder;

    private static PreparedData rows;

    @BeforeAll
    static void train() throws IOException {
        rows = LlamaRuns.in(folder).rows();
        for (Way way : Way.values()) {
            REFERENCES.put(way, trained(Clusters.ONE_SLOT, way, Paging.DEFAULT));
        }
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("clusters")
    @Tag("spark-line")
    void everyClusterGivesTheSameBytes(String master, Way way) {
        assertThat(trained(master, way, Paging.DEFAULT)).isEqualTo(REFERENCES.get(way));
    }

    /** Which the driver does not have, at no time. */
    @ParameterizedTest(name = "{0}")
    @EnumSource(Way.class)
    void executorsThatMakeTheFirstStateGiveTheSameBytes(Way way) {
        FlatVector trained = CLUSTER.on(
                Clusters.TWO_EXECUTORS,
                context -> train(
                        context,
                        way,
                        Paging.DEFAULT,
                        ExchangeKind.SHUFFLE,
                        TrainFixture.madeByExecutors(plan(way.spec), () -> {
                            throw new IllegalStateException("the driver made a State");
                        })));

        assertThat(TrainFixture.values(trained)).isEqualTo(REFERENCES.get(way));
    }

    private static Stream<Arguments> clusters() {
        return Stream.of(Clusters.TWO_SLOTS, Clusters.TWO_EXECUTORS)
                .flatMap(master ->
                        Stream.of(Way.QLORA, Way.EXPERTS, Way.HALVES, Way.PISSA).map(way -> Arguments.of(master, way)));
    }

    @Test
    void everyWayGivesNumbersOfItsOwn() {
        assertThat(REFERENCES.values()).allSatisfy(values -> assertThat(values).doesNotContain(Float.NaN));
        assertThat(REFERENCES.get(Way.QLORA)).isNotEqualTo(REFERENCES.get(Way.HALVES));
        assertThat(REFERENCES.get(Way.QLORA)).isNotEqualTo(REFERENCES.get(Way.PISSA));
    }

    @ParameterizedTest
    @ValueSource(strings = {Clusters.TWO_EXECUTORS, Clusters.TWO_SLOTS})
    void weightsGradientsAndStateInFilesGiveTheBytesOfMemory(String master) throws IOException {
        assertThat(trained(master, Way.FULL, IN_FILE)).isEqualTo(REFERENCES.get(Way.FULL));
        assertThat(folder.resolve("scratch")).isEmptyDirectory();
        assertThat(Files.readAllLines(folder.resolve("metrics.jsonl")))
                .hasSize(STEPS)
                .allSatisfy(line -> assertThat(residentBytes(line)).isBetween(1L, Paging.SMALLEST_WINDOW));
    }

    @Test
    void threadsOfATaskDoNotChangeAByte() {
        CLUSTER.close();
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, Map.of("spark.task.cpus", "2"))) {
            assertThat(TrainFixture.values(train(context, Way.QLORA, Paging.DEFAULT)))
                    .isEqualTo(REFERENCES.get(Way.QLORA));
        }
    }

    private static long residentBytes(String line) throws JsonProcessingException {
        return new ObjectMapper().readTree(line).get("optimizer_resident_bytes").asLong();
    }

    private static float[] trained(String master, Way way, Paging paging) {
        return TrainFixture.values(CLUSTER.on(master, context -> train(context, way, paging)));
    }

    private static FlatVector train(JavaSparkContext context, Way way, Paging paging) {
        ModelSource model = source(context, way);
        return train(context, way, paging, ExchangeKind.COLLECT, () -> fresh(model, plan(way.spec), paging));
    }

    private static FlatVector train(
            JavaSparkContext context, Way way, Paging paging, ExchangeKind exchange, StateOrigin begin) {
        ModelSource model = source(context, way);
        FlatVector[] trained = new FlatVector[1];
        TrainPlan plan = plan(way.spec);
        Trainer trainer = new Trainer(
                plan,
                TrainFixture.atEnd(),
                TrainFixture.noStates(),
                new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                ProgressReporter.silent(),
                TrainFixture.noBest());
        TrainSummary summary = trainer.run(
                Resume.NEVER,
                begin,
                origin -> {
                    ExchangeChoice choice =
                            choice(exchange, FirstState.index(model, 1).size(), plan, context);
                    deleteCopies(); // tasks make their own
                    return new SparkGradientSource(
                            context,
                            new TrainingRun(plan, model, rows, null, paging, SnapshotPolicy.DEFAULT, null),
                            origin,
                            choice);
                },
                parameters -> trained[0] = parameters.copy());
        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(summary.firstLoss().getAsDouble());
        return trained[0];
    }

    private static FolderModelSource source(JavaSparkContext context, Way way) {
        FolderModelSource whole = new FolderModelSource(way.base.toString(), way.spec, ModelCache.at(copies()));
        LoraSpec lora = way.spec.lora();
        return lora == null || !lora.takesFromBase() ? whole : whole.without(take(context, lora));
    }

    /** Takes adapters out of the base and stores them, as a run does before it begins. */
    private static FactorFolder take(JavaSparkContext context, LoraSpec lora) {
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path("file://" + folder.resolve("taken"));
        try (WeightFolder base = WeightFolder.open(LlamaRuns.base());
                Workers workers = new Workers(2)) {
            FileSystem files = path.getFileSystem(context.hadoopConfiguration());
            AdapterFolder.write(
                    files,
                    path,
                    new AdapterConfig(lora.factorsAlone(), "base"),
                    PissaOloraFactors.index(base.config(), lora),
                    PissaOloraFactors.compute(base, lora, 42, workers).values());
            return FactorFolder.of(context, path.toString(), AdapterFolder.hash(files, path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path copies() {
        return folder.resolve("cache");
    }

    private static void deleteCopies() {
        if (!Files.exists(copies())) {
            return;
        }

        try (Stream<Path> copies = Files.walk(copies())) {
            for (Path copy : copies.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(copy);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ExchangeChoice choice(
            ExchangeKind exchange, long parameters, TrainPlan plan, JavaSparkContext context) {
        GradientSize size = new GradientSize(parameters, plan.batches().shards(), plan.gradientDtype());
        return ExchangeChoice.of(exchange, size, context.getConf());
    }

    private static TrainState fresh(ModelSource source, TrainPlan plan, Paging paging) {
        StateHome home = new StateHome(new Workers(1), paging, folder.resolve("scratch"));
        try (GradientModel model = source.open(1)) {
            FlatVector parameters =
                    model.initialParameters(plan.seed(), length -> home.zeros(plan.optimizer(), length));
            return TrainState.fresh(parameters, model.parameters(), plan.optimizer(), plan.seed(), home)
                    .in(plan.spec().precision());
        }
    }

    private static TrainPlan plan(ModelSpec spec) {
        BatchPlan batches = new BatchPlan(rows.rows(), 4, 1, 2, BatchPlan.RowOrder.SHUFFLED, 4L * STEPS);
        return new TrainPlan(
                "llama-tied",
                spec,
                null,
                rows.manifest().fingerprint(),
                batches,
                new OptimizerSpec(OptimizerKind.PAGED_ADAMW_8BIT, 0.9, 0.999, 1e-8, 0),
                new Schedule(ScheduleKind.CONSTANT, 5e-3, 0, STEPS),
                GradientDtype.FP32,
                0.3,
                42);
    }
}
