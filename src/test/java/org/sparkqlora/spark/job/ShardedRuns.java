package org.sparkqlora.spark.job;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.LastState;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/** Runs of a bigram model on three executors, each of which owns a part of its State. */
final class ShardedRuns {
    static final String THREE_EXECUTORS = "local-cluster[3,1,1024]";
    static final int EXECUTORS = 3;
    static final int SHARDS = 3;
    static final int STEPS = 6;

    /** Six slices of a sum, and bounds between parts that lie within blocks of optimiser state. */
    static final int VOCABULARY = 1200;

    private static final int TENSORS = 7;

    /** Begun, each at a step. */
    final List<Long> begun = new ArrayList<>();

    /** Of which some executors were lost, each with the step that the run goes on from. */
    final List<Long> lost = new ArrayList<>();

    final GradientModel model = new BigramModel(VOCABULARY, TENSORS);
    final Path checkpoints;
    private final Path folder;
    private final PreparedData rows;
    private final TrainPlan plan;

    ShardedRuns(Path folder, PreparedData rows) {
        this.folder = folder;
        this.rows = rows;
        this.plan = plan(OptimizerKind.ADAMW_8BIT);
        this.checkpoints = folder.resolve("checkpoints-" + UUID.randomUUID());
    }

    /** Prepares rows below {@code folder}. */
    static PreparedData rows(JavaSparkContext context, Path folder) {
        return CountingRows.prepare(context, folder.resolve("train"), 200, 1);
    }

    TrainPlan plan(OptimizerKind kind) {
        BatchPlan batches = new BatchPlan(rows.rows(), 8, 2, SHARDS, BatchPlan.RowOrder.SHUFFLED, 8L * STEPS, 1);
        return TrainFixture.plan(batches, new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0.01));
    }

    StateOrigin madeByExecutors(TrainPlan run) {
        return TrainFixture.madeByExecutors(run, () -> TrainFixture.freshState(run, model));
    }

    StateOrigin sentByDriver() {
        return () -> TrainFixture.freshState(plan, model);
    }

    GradientSource source(JavaSparkContext context) {
        return source(context, plan, madeByExecutors(plan), Paging.DEFAULT);
    }

    GradientSource source(JavaSparkContext context, TrainPlan run, StateOrigin origin, Paging paging) {
        GradientSize size = new GradientSize(model.parameters().size(), SHARDS, GradientDtype.FP32);
        return new SparkGradientSource(
                context,
                new TrainingRun(
                        run,
                        new BigramSource(VOCABULARY, TENSORS),
                        rows,
                        rows,
                        paging,
                        SnapshotPolicy.DEFAULT,
                        model.parameters()),
                origin,
                ExchangeChoice.of(ExchangeKind.SHUFFLE, size, context.getConf()));
    }

    CheckpointStateStore states() {
        return new CheckpointStateStore(
                new CheckpointStore(LocalFiles.system(), LocalFiles.path(checkpoints), 3),
                plan,
                StateHome.inMemory(new Workers(1)),
                warning -> {});
    }

    static void steps(GradientSource source, int count) {
        for (int i = 0; i < count; i++) {
            ShuffledBigrams.step(source);
        }
    }

    /** Of the State, as a checkpoint has it. */
    static String hash(GradientSource source) {
        SavedState saved = source.saved();
        try {
            return Sha256.hex(TrainFixture.bytes(saved));
        } finally {
            saved.release();
        }
    }

    /** As {@link #hash} after {@link #steps} in one process. */
    String inOneProcess(int steps) {
        return inOneProcess(plan, steps);
    }

    String inOneProcess(TrainPlan run, int steps) {
        return Sha256.hex(ShuffledBigrams.inOneProcess(run, model, rows, steps));
    }

    /** Trains to the end with a checkpoint every other step. */
    String train(JavaSparkContext context, Resume resume, LongConsumer afterStep) {
        Clusters.awaitExecutors(context, EXECUTORS);
        return train(resume, afterStep, states(), origin -> source(context, plan, origin, Paging.DEFAULT));
    }

    String trainInOneProcess() {
        try (PreparedRows reader = rows.reader(new Configuration())) {
            String state = train(
                    Resume.NEVER,
                    step -> {},
                    TrainFixture.noStates(),
                    origin -> TrainFixture.inThisProcess(plan, model, origin.read(), reader, null));
            begun.clear();
            return state;
        }
    }

    private String train(
            Resume resume, LongConsumer afterStep, StateStore states, Function<StateOrigin, GradientSource> sources) {
        String[] published = new String[1];
        LastState last = new LastState(sources);
        new Trainer(
                        plan,
                        TrainFixture.triggers(Trigger.every(2), Trigger.every(0)),
                        states,
                        new MetricsFile(folder.resolve(UUID.randomUUID() + ".jsonl"), warning -> {}),
                        reporter(afterStep),
                        TrainFixture.noBest())
                .run(
                        resume,
                        madeByExecutors(plan),
                        last::open,
                        parameters -> published[0] = Sha256.hex(last.bytes(parameters)));
        return published[0];
    }

    private ProgressReporter reporter(LongConsumer afterStep) {
        return new ProgressReporter() {
            @Override
            public void started(long step, long steps) {
                begun.add(step);
            }

            @Override
            public void stepDone(StepMetrics step) {
                afterStep.accept(step.step());
            }

            @Override
            public void stateLost(long step, String reason) {
                lost.add(step);
            }
        };
    }
}
