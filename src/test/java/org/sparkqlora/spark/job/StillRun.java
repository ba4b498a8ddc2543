package org.sparkqlora.spark.job;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;
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
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;

/**
 * A run whose gradients take a given time and teach nothing, so that the rest of a step is the exchange's, the optimiser's and Spark's.
 *
 * @param numbers that train
 * @param millis of a gradient
 * @param busy whether they are of processor time, or asleep as where processors are to spare
 */
public record StillRun(int numbers, long millis, boolean busy, int shards, int steps) {
    /** A cluster of executors of one slot, as a user has it, with vectors and both compilers. */
    public static JavaSparkContext start(int executors, int mebibytes) {
        return Clusters.start(
                String.format(Locale.ROOT, "local-cluster[%d,1,%d]", executors, mebibytes),
                Map.of(
                        "spark.executor.memory",
                        mebibytes + "m",
                        "spark.locality.wait",
                        "10s",
                        "spark.executor.extraJavaOptions",
                        String.join(" ", Clusters.javaFlags())));
    }

    /** On the cluster of {@code context}; rows, checkpoints and metrics go below {@code folder}. */
    public void train(JavaSparkContext context, Trigger checkpoints, Path folder, ProgressReporter reporter) {
        PreparedData rows = CountingRows.prepare(context, folder.resolve("rows"), 2000, 1);
        StillSource model = new StillSource(numbers, millis, busy);
        TrainPlan plan = TrainFixture.plan(
                new BatchPlan(rows.rows(), shards, 1, shards, BatchPlan.RowOrder.SHUFFLED, (long) shards * steps, 1));
        ExchangeChoice choice = ExchangeChoice.of(
                ExchangeKind.SHUFFLE, new GradientSize(numbers, shards, GradientDtype.FP32), context.getConf());
        TrainingRun run =
                new TrainingRun(plan, model, rows, rows, Paging.DEFAULT, new SnapshotPolicy(3, 1L << 40), null);
        try (Workers workers = new Workers(2)) {
            CheckpointStore store =
                    new CheckpointStore(LocalFiles.system(), LocalFiles.path(folder.resolve("checkpoints")), 2);
            new Trainer(
                            plan,
                            TrainFixture.triggers(checkpoints, Trigger.every(0)),
                            new CheckpointStateStore(store, plan, StateHome.inMemory(workers), warning -> {}),
                            new MetricsFile(folder.resolve("metrics.jsonl"), warning -> {}),
                            reporter,
                            TrainFixture.noBest())
                    .run(
                            Resume.NEVER,
                            () -> TrainFixture.freshState(plan, model.open(1)),
                            origin -> new SparkGradientSource(context, run, origin, choice),
                            parameters -> {});
        }
    }

    /** Learns nothing, in a given time. */
    private record StillSource(int numbers, long millis, boolean busy) implements ModelSource {
        @Override
        public String key() {
            return "still-" + numbers;
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
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
