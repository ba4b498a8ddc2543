package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.exchange.BigDl;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.LastState;
import org.sparkqlora.train.PassingSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Update;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.TrainSummary;

class SparkGradientSourceTest {
    private static final int STEPS = 7;
    private static final int SHARDS = 3;

    /** Rotates the snapshot twice in a run. */
    private static final SnapshotPolicy OFTEN = new SnapshotPolicy(3, 1L << 30);

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private static Path folder;

    private static PreparedData rows;
    private static PreparedData heldOut;

    private final GradientModel model = new BigramModel();
    private int localSteps = 1;

    @BeforeAll
    static void prepareRows() {
        List<PreparedData> prepared = CLUSTER.on(
                Clusters.ONE_SLOT,
                context -> List.of(
                        CountingRows.prepare(context, folder.resolve("train"), 200, 1),
                        CountingRows.prepare(context, folder.resolve("held-out"), 30, 2)));
        rows = prepared.get(0);
        heldOut = prepared.get(1);
    }

    @Tag("spark-line")
    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("clusters")
    void everyClusterGivesTheBytesOfOneProcess(String master, ExchangeKind exchange) {
        Outcome reference = trainInProcess();

        Outcome outcome = CLUSTER.on(master, context -> trainOn(context, exchange));

        assertThat(outcome.state()).isEqualTo(reference.state());
        assertThat(outcome.evaluation()).isEqualTo(reference.evaluation());
    }

    @ParameterizedTest(name = "{1} on {0}")
    @CsvSource(
            delimiter = ';',
            value = {
                Clusters.TWO_EXECUTORS + ";COLLECT",
                Clusters.TWO_EXECUTORS + ";SHUFFLE",
                Clusters.TWO_SLOTS + ";AUTO"
            })
    void localStepsGiveTheBytesOfOneProcess(String master, ExchangeKind exchange) {
        localSteps = 3;
        Outcome reference = trainInProcess();

        Outcome outcome = CLUSTER.on(master, context -> trainOn(context, exchange));

        assertThat(outcome.state()).isEqualTo(reference.state());
        assertThat(outcome.evaluation()).isEqualTo(reference.evaluation());
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {Clusters.TWO_EXECUTORS, Clusters.TWO_SLOTS})
    void evaluatorGivesTheLossOfEachDocumentInOrder(String master) {
        TrainState state = TrainFixture.freshState(plan(), model);
        List<LossTotal> expected = inOrder(state);
        for (int rowsAtOnce : new int[] {1, 9, 1 << 16}) {
            List<LossTotal> losses = new ArrayList<>();
            LossTotal total = CLUSTER.on(master, context -> {
                LossTotal found = new SparkEvaluator(context, new BigramSource(), rowsAtOnce)
                        .total(state.parameters(), model.parameters(), heldOut, 4, losses::add);
                assertThat(context.getLocalProperty("spark.job.description")).isNull();
                return found;
            });

            assertThat(losses).hasSize(30).isEqualTo(expected);
            assertThat(total).isEqualTo(LossTotal.sum(expected));
        }
    }

    @Test
    void metricsCountTokensOfTheWholeBatch() {
        TrainSummary summary = CLUSTER.on(Clusters.TWO_SLOTS, context -> trainOn(context, ExchangeKind.COLLECT))
                .summary();

        assertThat(summary.lastLoss().getAsDouble())
                .isLessThan(summary.firstLoss().getAsDouble());
        assertThat(summary.tokens()).isGreaterThan(8L * STEPS);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("movingExchanges")
    void executorsLostOnTheWayChangeNoByte(ExchangeKind exchange) {
        Outcome reference = trainInProcess();
        CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            LossOfExecutors losses = new LossOfExecutors(context);
            Outcome outcome = train(sourcesOn(context, exchange), losses);

            assertThat(losses.killed).isEqualTo(2);
            assertThat(losses.statesLost).isZero();
            assertThat(outcome.state()).isEqualTo(reference.state());
            return outcome;
        });
    }

    /** The driver has the State, or nobody any more: then it is trained again from its beginning. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("movingExchanges")
    void allExecutorsLostAtOnceChangeNoByte(ExchangeKind exchange) {
        Outcome reference = trainInProcess();
        LossOfAllExecutors losses = new LossOfAllExecutors();

        Outcome outcome = CLUSTER.on(Clusters.TWO_EXECUTORS, context -> train(sourcesOn(context, exchange), losses));

        assertThat(losses.killed).isEqualTo(2);
        assertThat(outcome.state()).isEqualTo(reference.state());
        assertThat(outcome.evaluation()).isEqualTo(reference.evaluation());
    }

    /** Those left are one step behind and compute it again. */
    @Test
    void bothWhoHoldASumLostBeforeAnyoneFetchedItChangeNoByte() {
        Outcome reference = trainInProcess();
        CLUSTER.on("local-cluster[3,1,1024]", context -> {
            LossOfHolders losses = new LossOfHolders(context);
            Outcome outcome = train(
                    state -> losses.watch(
                            sourcesOn(context, ExchangeKind.SHUFFLE).apply(state)),
                    losses);

            assertThat(losses.killed).isEqualTo(2);
            assertThat(losses.statesLost).isZero();
            assertThat(outcome.state()).isEqualTo(reference.state());
            return outcome;
        });
    }

    private static Stream<Arguments> clusters() {
        return Stream.concat(
                Stream.of(Clusters.TWO_SLOTS, Clusters.ONE_SLOT).map(master -> Arguments.of(master, ExchangeKind.AUTO)),
                movingExchanges().map(exchange -> Arguments.of(Clusters.TWO_EXECUTORS, exchange)));
    }

    /** Those of this build. */
    private static Stream<ExchangeKind> movingExchanges() {
        return Stream.concat(
                Stream.of(ExchangeKind.COLLECT, ExchangeKind.SHUFFLE),
                BigDl.find().map(library -> ExchangeKind.BIGDL).stream());
    }

    private Outcome trainOn(JavaSparkContext context, ExchangeKind exchange) {
        return train(sourcesOn(context, exchange), ProgressReporter.silent());
    }

    private Function<StateOrigin, GradientSource> sourcesOn(JavaSparkContext context, ExchangeKind exchange) {
        TrainingRun run = new TrainingRun(plan(), new BigramSource(), rows, heldOut, Paging.DEFAULT, OFTEN, null);
        long numbers = TrainPlan.numbersOfShard(
                BigramModel.VOCABULARY * BigramModel.VOCABULARY,
                plan().optimizer(),
                plan().batches().localSteps());
        GradientSize size = new GradientSize(numbers, SHARDS, GradientDtype.FP32);
        ExchangeChoice choice = ExchangeChoice.of(exchange, size, context.getConf());
        return origin -> new SparkGradientSource(context, run, origin, choice);
    }

    private Outcome trainInProcess() {
        try (PreparedRows train = rows.reader(new Configuration());
                PreparedRows evaluate = heldOut.reader(new Configuration())) {
            return train(
                    origin -> TrainFixture.inThisProcess(plan(), model, origin.read(), train, evaluate),
                    ProgressReporter.silent());
        }
    }

    private Outcome train(Function<StateOrigin, GradientSource> sources, ProgressReporter reporter) {
        byte[][] published = new byte[1][];
        LastState last = new LastState(sources);
        Trainer trainer = new Trainer(
                plan(),
                TrainFixture.atEnd(),
                TrainFixture.noStates(),
                new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                reporter,
                TrainFixture.noBest());
        TrainSummary summary = trainer.run(
                Resume.NEVER,
                () -> TrainFixture.freshState(plan(), model),
                last::open,
                parameters -> published[0] = last.bytes(parameters));
        return new Outcome(published[0], summary.evaluationLoss().getAsDouble(), summary);
    }

    private TrainPlan plan() {
        BatchPlan batches =
                new BatchPlan(rows.rows(), 8, 2, SHARDS, BatchPlan.RowOrder.SHUFFLED, 8L * STEPS - 5, localSteps);
        return TrainFixture.plan(batches);
    }

    private List<LossTotal> inOrder(TrainState state) {
        try (PreparedRows reader = heldOut.reader(new Configuration())) {
            return IntStream.range(0, Math.toIntExact(reader.rows()))
                    .mapToObj(reader::read)
                    .flatMap(row -> model.bind(state.parameters()).losses(List.of(row)).stream())
                    .toList();
        }
    }

    private record Outcome(byte[] state, double evaluation, TrainSummary summary) {}

    /** Kills all executors after the fifth step, once. */
    private static final class LossOfAllExecutors implements ProgressReporter {
        private long killed;

        @Override
        public void stepDone(StepMetrics step) {
            if (step.step() == 5 && killed == 0) {
                killed = Clusters.killAllExecutors();
            }
        }
    }

    /** Kills an executor after the second step, and another after the fifth, when both have the State again. */
    private static final class LossOfExecutors implements ProgressReporter {
        private final JavaSparkContext context;
        private int killed;
        private int statesLost;

        private LossOfExecutors(JavaSparkContext context) {
            this.context = context;
        }

        @Override
        public void started(long doneSteps, long allSteps) {
            Clusters.awaitExecutors(context, 2);
        }

        @Override
        public void stepDone(StepMetrics step) {
            if (step.step() == 3) {
                Clusters.awaitExecutors(context, 2);
            } else if (step.step() == 2 || step.step() == 5) {
                killed += Clusters.killOneExecutor() ? 1 : 0;
            }
        }

        @Override
        public void stateLost(long step, String reason) {
            statesLost++;
        }
    }

    /** Kills the two executors that have the sum of the fourth step, before any task of the fifth has fetched it. */
    private static final class LossOfHolders implements ProgressReporter {
        private static final Pattern HOLDER = Pattern.compile("executor (\\d+) on");

        private final JavaSparkContext context;
        private int killed;
        private int statesLost;

        private LossOfHolders(JavaSparkContext context) {
            this.context = context;
        }

        private GradientSource watch(GradientSource watched) {
            return new PassingSource() {
                @Override
                public GradientSource source() {
                    return watched;
                }

                @Override
                public void apply(Update update) {
                    if (update.fromVersion() == 3) {
                        killHolders(update);
                    }

                    watched.apply(update);
                }
            };
        }

        private void killHolders(Update update) {
            Set<String> holders = HOLDER.matcher(update.gradient().toString())
                    .results()
                    .map(found -> found.group(1))
                    .collect(Collectors.toSet());
            holders.forEach(holder -> killed += Clusters.killExecutor(holder) ? 1 : 0);
        }

        @Override
        public void started(long doneSteps, long allSteps) {
            Clusters.awaitExecutors(context, 3);
        }

        @Override
        public void stateLost(long step, String reason) {
            statesLost++;
        }
    }
}
