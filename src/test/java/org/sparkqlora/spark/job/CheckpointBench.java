package org.sparkqlora.spark.job;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BestModelAndSamples;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainTriggers;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * Times the steps of two executors around checkpoints: {@code CheckpointBench MILLIONS MILLISECONDS sleep|busy}. A gradient of so many
 * million numbers takes so long, asleep, as where processors are to spare, or of processor time. Every fifth step leaves a checkpoint.
 */
final class CheckpointBench {
    private static final int SHARDS = 2;
    private static final int EVERY = 5;
    private static final int STEPS = 31;
    private static final int WARM_UP = 6;

    private CheckpointBench() {}

    public static void main(String[] arguments) throws IOException {
        StillSource model = new StillSource(
                Integer.parseInt(arguments[0]) * 1_000_000, Long.parseLong(arguments[1]), arguments[2].equals("busy"));
        String memory = System.getProperty("executor.memory", "5120");
        Path folder = Files.createTempDirectory("checkpoint-bench");
        try (JavaSparkContext context = Clusters.start(
                "local-cluster[2,1,%s]".formatted(memory),
                Map.of(
                        "spark.executor.memory",
                        memory + "m",
                        "spark.locality.wait",
                        "10s",
                        "spark.executor.extraJavaOptions",
                        String.join(" ", Clusters.javaFlags())))) {
            PreparedData rows = CountingRows.prepare(context, folder.resolve("rows"), 2000, 1);
            train(context, model, rows, folder);
        }

        System.out.println(folder);
    }

    private static void train(JavaSparkContext context, StillSource model, PreparedData rows, Path folder) {
        TrainPlan plan = TrainFixture.plan(
                new BatchPlan(rows.rows(), SHARDS, 1, SHARDS, BatchPlan.RowOrder.SHUFFLED, (long) SHARDS * STEPS, 1));
        ExchangeChoice choice = ExchangeChoice.of(
                ExchangeKind.SHUFFLE, new GradientSize(model.numbers(), SHARDS, GradientDtype.FP32), context.getConf());
        TrainingRun run = new TrainingRun(plan, model, rows, rows, Paging.DEFAULT, new SnapshotPolicy(3, 1L << 40));
        try (Workers workers = new Workers(2)) {
            CheckpointStore store =
                    new CheckpointStore(LocalFiles.system(), LocalFiles.path(folder.resolve("checkpoints")), 2);
            Times times = new Times();
            new Trainer(
                            plan,
                            new TrainTriggers(Trigger.every(EVERY), Trigger.every(0)),
                            new CheckpointStateStore(store, plan, StateHome.inMemory(workers), warning -> {}),
                            new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                            times,
                            BestModelAndSamples.nothing())
                    .run(
                            Resume.NEVER,
                            () -> TrainFixture.freshState(plan, model.open(1)),
                            state -> new SparkGradientSource(context, run, state, choice),
                            state -> {});
            times.print();
        }
    }

    /** From the end of a step to the end of the next one. */
    private static final class Times implements ProgressReporter {
        private final List<Double> seconds = new ArrayList<>();
        private long last;

        @Override
        public void started(long doneSteps, long allSteps) {
            last = System.nanoTime();
        }

        @Override
        public void stepDone(StepMetrics step) {
            long now = System.nanoTime();
            seconds.add((now - last) / 1e9);
            last = now;
            System.out.printf("step %d: %.2f s%n", step.step(), seconds.get(seconds.size() - 1));
        }

        @Override
        public void checkpointed(long step) {
            System.out.printf("checkpoint %d is whole, %.2f s after a step%n", step, (System.nanoTime() - last) / 1e9);
        }

        private void print() {
            for (int after = 1; after <= EVERY; after++) {
                int turn = after % EVERY;
                double[] of = IntStream.range(WARM_UP, seconds.size() - 1)
                        .filter(step -> step % EVERY == turn - 1 + (turn == 0 ? EVERY : 0))
                        .mapToDouble(seconds::get)
                        .sorted()
                        .toArray();
                System.out.printf("%d after a checkpoint: median %.2f s of %d%n", after, of[of.length / 2], of.length);
            }
        }
    }

    /** Learns nothing, in a given time. */
    private record StillSource(int numbers, long millis, boolean busy) implements ModelSource {
        @Override
        public String key() {
            return "still";
        }

        @Override
        public Optional<String> problem() {
            return Optional.empty();
        }

        @Override
        public GradientModel open(int threads) {
            return new Still(this);
        }
    }

    private record Still(StillSource source) implements GradientModel {
        @Override
        public ParameterIndex parameters() {
            ParameterIndex.Builder index = ParameterIndex.builder();
            index.add("still", source.numbers());
            return index.build();
        }

        @Override
        public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
            return zeros.apply(source.numbers());
        }

        @Override
        public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
            return new Bound(source);
        }

        @Override
        public void close() {}
    }

    private record Bound(StillSource source) implements BoundModel {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            try {
                if (source.busy()) {
                    spend(source.millis() * 1_000_000);
                } else {
                    Thread.sleep(source.millis());
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }

            gradient.set(0, gradient.get(0) + 1);
            return new LossTotal(1, 1);
        }

        private static void spend(long nanos) {
            long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            while (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin < nanos) {
                Thread.onSpinWait();
            }
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            return List.of();
        }

        @Override
        public int[] generate(int[] prompt, GenerationSpec spec) {
            return prompt;
        }

        @Override
        public void close() {}
    }
}
