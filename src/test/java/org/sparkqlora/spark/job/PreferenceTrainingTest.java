package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.objective.AnswerObjective;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.DirectPreference;
import org.sparkqlora.objective.DirectPreference.Weighted;
import org.sparkqlora.objective.KahnemanTversky;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.OddsRatio;
import org.sparkqlora.objective.Reference;
import org.sparkqlora.objective.ScoreObjective;
import org.sparkqlora.objective.UnpairedLoss;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
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
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.RecordEncoders;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.LastState;
import org.sparkqlora.train.LocalGradientSource;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.ObjectiveModelSource;
import org.sparkqlora.train.ReferenceParameters;
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

/** Preference training of a small Llama over four bits: its bytes on clusters of several sizes. */
class PreferenceTrainingTest {
    private static final int STEPS = 4;
    private static final int SHARDS = 8;
    private static final int EXAMPLES = 60;
    private static final int SEED = 42;
    private static final Labels LABELS = new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, List.of("a", "b", "c"));

    /** An objective without sums over the batch, one with counts, one with a pass of the model, and one of scores; two in local steps. */
    private enum Way {
        DPO(new DirectPreference(List.of(new Weighted("sigmoid", 1)), 0.1, 0, 0.5, Reference.BASE)),
        ORPO(new OddsRatio(0.1)),
        KTO(new KahnemanTversky(UnpairedLoss.KTO, 0.1, 1, 1.5, Reference.BASE)),
        CLASSIFY(new Classification(LABELS)),
        LOCAL_DPO(DPO.objective, 2),
        LOCAL_KTO(KTO.objective, 2);

        private final Objective objective;
        private final int localSteps;

        Way(Objective objective) {
            this(objective, 1);
        }

        Way(Objective objective, int localSteps) {
            this.objective = objective;
            this.localSteps = localSteps;
        }

        private ModelSpec spec() {
            LoraSpec lora = LoraSpec.allLinear(4, 8);
            int outputs = objective instanceof ScoreObjective scores ? scores.outputs() : 0;
            return new ModelSpec(
                    Method.QLORA,
                    Precision.BF16,
                    QuantSpec.DEFAULT,
                    lora.withSaved(lora.saved().withLabels(outputs)));
        }
    }

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private static Path folder;

    private static final Map<ExampleKind, PreparedData> ROWS = new EnumMap<>(ExampleKind.class);
    private static final Map<Way, byte[]> REFERENCES = new EnumMap<>(Way.class);

    @BeforeAll
    static void trainInProcess() throws IOException {
        for (ExampleKind kind : List.of(ExampleKind.PREFERENCE, ExampleKind.UNPAIRED, ExampleKind.LABELED)) {
            Files.write(folder.resolve(kind.optionName() + ".jsonl"), lines(kind));
            ROWS.put(kind, CLUSTER.on(Clusters.TWO_SLOTS, context -> prepared(context, kind)));
        }

        for (Way way : Way.values()) {
            REFERENCES.put(way, oneProcess(way));
        }
    }

    @ParameterizedTest(name = "{2} by {1} on {0}")
    @MethodSource("clusters")
    void everyClusterGivesTheBytesOfOneProcess(String master, ExchangeKind exchange, Way way) {
        byte[] state = CLUSTER.on(master, context -> trained(way, source(context, way, exchange), step -> {}));

        assertThat(Arrays.equals(state, REFERENCES.get(way))).isTrue();
    }

    private static Stream<Arguments> clusters() {
        Stream<Arguments> inOneProcess =
                Stream.of(Way.values()).map(way -> Arguments.of("local[8]", ExchangeKind.AUTO, way));
        // executors part what a step needs beside gradients: nothing, counts, the model's own sums, scores
        Stream<Arguments> byExecutors = Stream.of(
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.COLLECT, Way.DPO),
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.COLLECT, Way.KTO),
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.COLLECT, Way.CLASSIFY),
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.SHUFFLE, Way.ORPO),
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.SHUFFLE, Way.KTO),
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.SHUFFLE, Way.CLASSIFY),
                Arguments.of(Clusters.TWO_EXECUTORS, ExchangeKind.SHUFFLE, Way.LOCAL_KTO));
        return Stream.concat(byExecutors, inOneProcess);
    }

    @Test
    void anExecutorLostOnTheWayChangesNoByte() {
        byte[] state = CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            Clusters.awaitExecutors(context, 2);
            int[] killed = new int[1];
            byte[] after = trained(
                    Way.KTO,
                    source(context, Way.KTO, ExchangeKind.SHUFFLE),
                    step -> killed[0] += step.step() == 2 && Clusters.killOneExecutor() ? 1 : 0);
            assertThat(killed[0]).isEqualTo(1);
            return after;
        });

        assertThat(Arrays.equals(state, REFERENCES.get(Way.KTO))).isTrue();
    }

    @Test
    void everyObjectiveGivesBytesOfItsOwn() {
        assertThat(REFERENCES.get(Way.DPO)).isNotEqualTo(REFERENCES.get(Way.ORPO));
        assertThat(rows(ExampleKind.PREFERENCE).manifest().kind()).isEqualTo(ExampleKind.PREFERENCE);
    }

    private static PreparedData rows(ExampleKind kind) {
        return Objects.requireNonNull(ROWS.get(kind));
    }

    private static byte[] oneProcess(Way way) {
        PreparedData data = rows(way.objective.kind().examples());
        try (Workers workers = new Workers(1);
                GradientModel model = model(way).open(1);
                PreparedRows rows = data.reader(new Configuration())) {
            return trained(
                    way,
                    origin -> new LocalGradientSource(
                            plan(way).batches(), model, StateHome.inMemory(workers), origin.read(), rows, null),
                    step -> {});
        }
    }

    private static Function<StateOrigin, GradientSource> source(
            JavaSparkContext context, Way way, ExchangeKind exchange) {
        PreparedData rows = rows(way.objective.kind().examples());
        long parameters = FirstState.index(model(way), 1).size();
        return origin -> new SparkGradientSource(
                context,
                new TrainingRun(plan(way), model(way), rows, null, Paging.DEFAULT, SnapshotPolicy.DEFAULT, null),
                origin,
                ExchangeChoice.of(
                        exchange,
                        new GradientSize(
                                TrainPlan.numbersOfShard(
                                        parameters,
                                        plan(way).optimizer(),
                                        plan(way).batches().localSteps()),
                                SHARDS,
                                GradientDtype.FP32),
                        context.getConf()));
    }

    private static byte[] trained(
            Way way, Function<StateOrigin, GradientSource> source, Consumer<StepMetrics> afterStep) {
        byte[][] published = new byte[1][];
        LastState last = new LastState(source);
        ProgressReporter reporter = new ProgressReporter() {
            @Override
            public void stepDone(StepMetrics step) {
                afterStep.accept(step);
            }
        };
        new Trainer(
                        plan(way),
                        TrainFixture.atEnd(),
                        TrainFixture.noStates(),
                        new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                        reporter,
                        TrainFixture.noBest())
                .run(Resume.NEVER, () -> fresh(way), last::open, parameters -> published[0] = last.bytes(parameters));
        return published[0];
    }

    private static TrainState fresh(Way way) {
        try (GradientModel model = model(way).open(1)) {
            return TrainState.fresh(
                    model.initialParameters(SEED),
                    model.parameters(),
                    plan(way).optimizer(),
                    SEED,
                    StateHome.inMemory(new Workers(1)));
        }
    }

    private static ModelSource model(Way way) {
        FolderModelSource model =
                new FolderModelSource(LlamaRuns.base().toString(), way.spec(), ModelCache.at(folder.resolve("cache")));
        boolean measured = way.objective instanceof AnswerObjective answers
                && answers.reference().isPresent();
        return new ObjectiveModelSource(
                model, way.objective, plan(way).sharedPrompts(), measured ? ReferenceParameters.base(SEED) : null);
    }

    private static TrainPlan plan(Way way) {
        PreparedData rows = rows(way.objective.kind().examples());
        int batch = 2 * SHARDS;
        return new TrainPlan(
                        "llama-tied",
                        way.spec(),
                        null,
                        rows.manifest().fingerprint(),
                        new BatchPlan(
                                rows.rows(),
                                batch,
                                1,
                                SHARDS,
                                BatchPlan.RowOrder.SHUFFLED,
                                (long) batch * STEPS - 3,
                                way.localSteps),
                        new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0),
                        new Schedule(ScheduleKind.CONSTANT, 5e-3, 0, STEPS),
                        GradientDtype.FP32,
                        0.3,
                        SEED)
                .withObjective(way.objective);
    }

    private static PreparedData prepared(JavaSparkContext context, ExampleKind kind) {
        Examples examples = kind == ExampleKind.LABELED ? Examples.labeled(LABELS) : Examples.of(kind);
        return new DataPreparation(context, null)
                .prepare(
                        List.of(folder.resolve(kind.optionName() + ".jsonl").toString()),
                        RecordEncoders.ofTokens(new RecordReading(RecordFormat.TOKENS, Columns.OWN, examples)),
                        new PreparationOptions(24, Packing.PACKED, OnBadRecord.FAIL).of(examples),
                        folder.resolve(kind.optionName()).toString());
    }

    private static List<String> lines(ExampleKind kind) {
        SplittableRandom random = new SplittableRandom(7);
        return IntStream.range(0, EXAMPLES)
                .mapToObj(i -> switch (kind) {
                    case PREFERENCE ->
                        "{\"prompt_ids\": %s, \"chosen_ids\": %s, \"rejected_ids\": %s}"
                                .formatted(ids(random, i % 2 == 0 ? 18 : 5), ids(random), ids(random));
                    case UNPAIRED ->
                        "{\"prompt_ids\": %s, \"completion_ids\": %s, \"label\": %s}"
                                .formatted(ids(random), ids(random), random.nextBoolean());
                    case LABELED ->
                        "{\"input_ids\": %s, \"label\": %s}".formatted(ids(random), random.nextInt(LABELS.outputs()));
                    case SUPERVISED, COMPARISON -> throw new IllegalArgumentException(kind.optionName());
                })
                .toList();
    }

    private static String ids(SplittableRandom random) {
        return ids(random, random.nextInt(2, 10));
    }

    private static String ids(SplittableRandom random, int count) {
        return random.ints(count, 4, 320).boxed().toList().toString();
    }
}
