package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.FactorInitialization;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.model.Precision;
import org.sparkqlora.model.SavedModules;
import org.sparkqlora.model.TakenFactors;
import org.sparkqlora.model.TargetModules;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.MetricsFile;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.ProgressReporter;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.Rhythm;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.TrainSummary;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Wire;
import org.sparkqlora.weights.WeightFolder;

/** Training of a small Llama in bfloat16, on clusters of several sizes. */
class DecoderTrainingTest {
    private static final int STEPS = 8;
    private static final ModelSpec QLORA =
            new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));

    private static final ModelSpec HALVES =
            new ModelSpec(Method.QLORA, Precision.FP16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));

    private static final ModelSpec PISSA = new ModelSpec(
            Method.QLORA,
            Precision.BF16,
            QuantSpec.DEFAULT,
            new LoraSpec(
                    4,
                    8,
                    0,
                    new TargetModules.AllLinear(),
                    false,
                    false,
                    Map.of(),
                    Map.of(),
                    FactorInitialization.parse("pissa"),
                    SavedModules.NONE));

    private static final ModelSpec FULL = new ModelSpec(Method.FULL, Precision.BF16, QuantSpec.DEFAULT, null);
    private static final Paging IN_FILE = new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW);

    @TempDir
    private static Path folder;

    private static PreparedData rows;

    @BeforeAll
    static void prepareRows() throws IOException {
        rows = LlamaRuns.in(folder).rows();
    }

    @Test
    @Tag("spark-line")
    void everyClusterGivesTheSameBytes() {
        float[] reference = trained(Clusters.ONE_SLOT, QLORA, Paging.DEFAULT);

        assertThat(reference).doesNotContain(Float.NaN);
        assertThat(trained(Clusters.TWO_SLOTS, QLORA, Paging.DEFAULT)).isEqualTo(reference);
        assertThat(trained(Clusters.TWO_EXECUTORS, QLORA, Paging.DEFAULT)).isEqualTo(reference);
    }

    @Test
    void threadsOfATaskDoNotChangeAByte() {
        float[] reference = trained(Clusters.ONE_SLOT, QLORA, Paging.DEFAULT);

        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, Map.of("spark.task.cpus", "2"))) {
            assertThat(values(train(context, QLORA, Paging.DEFAULT))).isEqualTo(reference);
        }
    }

    @Test
    void everyClusterGivesTheSameBytesInFloat16() {
        float[] reference = trained(Clusters.ONE_SLOT, HALVES, Paging.DEFAULT);

        assertThat(reference).doesNotContain(Float.NaN).isNotEqualTo(trained(Clusters.ONE_SLOT, QLORA, Paging.DEFAULT));
        assertThat(trained(Clusters.TWO_EXECUTORS, HALVES, Paging.DEFAULT)).isEqualTo(reference);
    }

    @Test
    void everyClusterGivesTheSameBytesOfAdaptersThatBeginAsAPartOfTheirBase() {
        float[] reference = trained(Clusters.ONE_SLOT, PISSA, Paging.DEFAULT);

        assertThat(reference).doesNotContain(Float.NaN).isNotEqualTo(trained(Clusters.ONE_SLOT, QLORA, Paging.DEFAULT));
        assertThat(trained(Clusters.TWO_SLOTS, PISSA, Paging.DEFAULT)).isEqualTo(reference);
        assertThat(trained(Clusters.TWO_EXECUTORS, PISSA, Paging.DEFAULT)).isEqualTo(reference);
    }

    @Test
    void weightsGradientsAndStateInFilesGiveTheBytesOfMemory() throws IOException {
        float[] reference = trained(Clusters.ONE_SLOT, FULL, Paging.DEFAULT);

        assertThat(reference).doesNotContain(Float.NaN);
        assertThat(trained(Clusters.TWO_SLOTS, FULL, IN_FILE)).isEqualTo(reference);
        assertThat(trained(Clusters.TWO_EXECUTORS, FULL, IN_FILE)).isEqualTo(reference);
        assertThat(folder.resolve("scratch")).isEmptyDirectory();
        assertThat(Files.readAllLines(folder.resolve("metrics.jsonl")))
                .hasSize(STEPS)
                .allSatisfy(line -> assertThat(residentBytes(line)).isBetween(1L, Paging.SMALLEST_WINDOW));
    }

    private static long residentBytes(String line) throws JsonProcessingException {
        return new ObjectMapper().readTree(line).get("optimizer_resident_bytes").asLong();
    }

    private static float[] trained(String master, ModelSpec spec, Paging paging) {
        return values(Clusters.on(master, context -> train(context, spec, paging)));
    }

    private static FlatVector train(JavaSparkContext context, ModelSpec spec, Paging paging) {
        ModelSource model = source(context, spec);
        FlatVector[] trained = new FlatVector[1];
        TrainPlan plan = plan(spec);
        Trainer trainer = new Trainer(
                plan,
                Rhythm.atEnd(),
                StateStore.none(),
                new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                ProgressReporter.silent());
        TrainSummary summary = trainer.run(
                Resume.NEVER,
                () -> fresh(model, plan, paging),
                state -> {
                    deleteCopies(); // tasks make their own
                    return new SparkGradientSource(
                            context,
                            new TrainingRun(plan, model, rows, null, paging, SnapshotPolicy.DEFAULT),
                            state,
                            collect(state, plan, context));
                },
                state -> trained[0] = state.parameters().copy());
        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(summary.firstLoss().getAsDouble());
        return trained[0];
    }

    private static FolderModelSource source(JavaSparkContext context, ModelSpec spec) {
        FolderModelSource whole = new FolderModelSource(LlamaRuns.base().toString(), spec, ModelCache.at(copies()));
        LoraSpec lora = spec.lora();
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
                    TakenFactors.index(base.config(), lora),
                    TakenFactors.compute(base, lora, 42, workers).values());
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

    private static ExchangeChoice collect(TrainState state, TrainPlan plan, JavaSparkContext context) {
        GradientSize size =
                new GradientSize(state.parameters().length(), plan.batches().shards(), plan.wire());
        return ExchangeChoice.of(ExchangeKind.COLLECT, size, context.getConf());
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
                Wire.FP32,
                0.3,
                42);
    }

    private static float[] values(FlatVector vector) {
        float[] values = new float[Math.toIntExact(vector.length())];
        vector.read(0, values, 0, values.length);
        return values;
    }
}
